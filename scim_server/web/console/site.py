"""What every page of the console shares: who is signed in, the headers, the errors, and how times are shown."""

from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from scim_server.admin.administrators import Administrator
from scim_server.admin.errors import NotThere, Refused
from scim_server.logs import logger
from scim_server.services import Administration
from scim_server.store.engine import Session, StoreUnavailable
from scim_server.web.errors import note_unexpected
from scim_server.web.scim.exchange import services

ROOT: Final = "/console"
OPEN: Final = frozenset(("console.static", "console.sign_in", "console.set_up"))
"""Endpoints that need nobody signed in."""

_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_WORDS: Final = {
    400: "This page has expired, or the request was not sent by it. Go back, load it again, and repeat what you did.",
    404: "There is nothing at this address. It may have been deleted, or the link is old.",
    405: "This address is for a button of the console. Go back and use the button.",
    413: "What was sent is too long.",
}

bp = Blueprint("console", __name__, template_folder="templates", static_folder="static", static_url_path="/static")
log = logger(__name__)


def admin() -> Administration:
    """What administrators do."""
    return services().admin


def administrator() -> Administrator:
    """Who is signed in."""
    found: Administrator = g.administrator
    return found


def tenant() -> int:
    """The tenant whose pages are shown: that of the administrator, and never another."""
    return administrator().tenant


def read() -> "_Reading":
    """A session that reads what belongs to the tenant, for ``with``."""
    return _Reading()


class _Reading:
    """The database opened for reading, as a context manager."""

    def __enter__(self) -> Session:
        self._opened = services().database.reading(tenant())
        return self._opened.__enter__()

    def __exit__(self, *error: object) -> None:
        self._opened.__exit__(*error)  # type: ignore[arg-type]  # the three arguments of every __exit__


@bp.before_request
def _let_in() -> BaseResponse | None:
    """Nobody sees a page without being signed in; afterwards the browser goes to where it wanted."""
    secret = session.get("secret")
    g.administrator = admin().administrators.find(secret) if secret else None
    if g.administrator is not None or request.endpoint in OPEN:
        return None
    if secret:
        session.clear()
    if request.method != "GET":
        return redirect(url_for("console.sign_in"), code=303)
    wanted = request.full_path.rstrip("?")
    return redirect(url_for("console.sign_in", next=wanted if wanted != ROOT else None), code=303)


@bp.after_request
def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    is_named_by_content = request.endpoint == "console.static" and "v" in request.args
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_named_by_content else "no-store"
    return response


def local_address(text: str | None) -> str:
    """An address of the console out of a form or query; the start page where it would lead elsewhere."""
    parts = urlsplit((text or "").replace("\\", "/"))
    if parts.scheme or parts.netloc or not (text or "").startswith(ROOT):
        return url_for("console.show_overview")
    return text or ""


@bp.errorhandler(NotThere)
def _not_there(error: NotThere) -> ResponseReturnValue:
    return error_page(404, str(error))


@bp.errorhandler(Refused)
def _refused(error: Refused) -> ResponseReturnValue:
    return error_page(409, str(error))


@bp.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error
    return error_page(status, _WORDS.get(status, error.description or error.name))


@bp.errorhandler(StoreUnavailable)
def _store_unavailable(error: StoreUnavailable) -> ResponseReturnValue:
    log.error("store.unavailable", reason=str(error))
    return error_page(503, "The database does not answer at the moment. Nothing was changed; try again shortly.")


@bp.errorhandler(Exception)
def _unexpected(error: Exception) -> ResponseReturnValue:
    note_unexpected(error)
    return error_page(500, f"The server failed to answer. Its log has the cause under {g.get('request_id', '')}.")


def error_page(status: int, words: str) -> tuple[str, int]:
    """A page that says what is the matter and leads back."""
    return render_template("pages/error.html", status=status, words=words[:1].upper() + words[1:]), status


@bp.route("/<path:rest>")
def _nothing_here(rest: str) -> ResponseReturnValue:  # noqa: ARG001 - the part of the address that leads nowhere
    abort(404)
