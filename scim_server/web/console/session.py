"""The first start, signing in and out, and the sessions of the tenant's administrators."""

from flask import abort, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from scim_server.admin.administrators import SHORTEST_PASSWORD, Administrators, Visitor
from scim_server.admin.errors import Refused
from scim_server.logs import logger
from scim_server.web.console.site import admin, administrator, bp, local_address, tenant

log = logger(__name__)


def _administrators() -> Administrators:
    return admin().administrators


@bp.route("/set-up/<link>", methods=["GET", "POST"])
def set_up(link: str) -> ResponseReturnValue:
    """The one-time link of the first start: it makes the first administrator and is gone."""
    if not _administrators().is_link(link):
        return render_template("pages/set_up_gone.html", has_administrator=_administrators().any_exists()), 404
    error = None
    if request.method == "POST":
        name, password = request.form.get("name", ""), request.form.get("password", "")
        try:
            if password != request.form.get("repeated", ""):
                raise Refused("The two passwords differ. Type the same one twice.")
            _administrators().create_first(link, admin().tenants.ensure_default()[0].id, name, password)
        except Refused as refused:
            error = str(refused)
        else:
            log.info("administrator.created")
            return _begin(name, password, url_for("console.show_overview"))
    page = render_template("pages/set_up.html", error=error, name=request.form.get("name", ""), least=SHORTEST_PASSWORD)
    return page, 400 if error else 200


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Whoever knows name and password goes on to the page that was asked for."""
    wanted = local_address(request.values.get("next"))
    if g.administrator is not None:
        return redirect(wanted, code=303)
    error = None
    if request.method == "POST":
        try:
            return _begin(request.form.get("name", ""), request.form.get("password", ""), wanted)
        except Refused as refused:
            error = str(refused)
            log.warning("administrator.refused", kind=type(refused).__name__)
    page = render_template(
        "pages/sign_in.html",
        error=error,
        name=request.form.get("name", ""),
        wanted=request.values.get("next", ""),
        is_first_start=not _administrators().any_exists(),
    )
    return page, 401 if error else 200


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """The session is over here and for whoever may have copied its cookie."""
    _administrators().end_session(tenant(), administrator().session)
    session.clear()
    return redirect(url_for("console.sign_in"), code=303)


@bp.get("/sessions")
def show_sessions() -> str:
    """Who is signed in, from where, since when."""
    return render_template("pages/sessions.html", sessions=_administrators().sessions(tenant()))


@bp.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> ResponseReturnValue:
    """The session is over; its browser has to sign in again."""
    if session_id == administrator().session:
        abort(400)
    _administrators().end_session(tenant(), session_id)
    return redirect(url_for("console.show_sessions"), code=303)


def _begin(name: str, password: str, wanted: str) -> ResponseReturnValue:
    """A session of its own for whoever signs in: nothing of the one before is carried over. Raises Refused."""
    visitor = Visitor(request.remote_addr or "unknown", request.headers.get("User-Agent", ""))
    secret = _administrators().sign_in(name, password, visitor)
    session.clear()
    session["secret"] = secret
    return redirect(wanted, code=303)
