"""Duplicates: the list, one case side by side, and the resolutions, each with its own preview."""

from typing import Any, Final

import orjson
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scim_server.admin.errors import NotThere, Refused
from scim_server.domain.attributes import flatten, same
from scim_server.domain.errors import DomainError, NotFound
from scim_server.reconciler.resolutions import Kind, Resolution
from scim_server.store.engine import Session
from scim_server.store.reads.duplicate_pages import CasePlace, CaseQuery, kinds_of_cases, list_cases_of
from scim_server.store.reads.duplicates import STATUSES, DuplicateCase, count_cases, find_case
from scim_server.store.reads.resources import find_resource
from scim_server.web.console.site import admin, administrator, bp, read, tenant
from scim_server.web.scim.exchange import services

_NOBODY: Final = 0  # no source has this id: nothing is hidden from an administrator
_PAGE: Final = 50
_CAUSES: Final = {
    "username": "Two people want one username.",
    "email": "Two people want one e-mail address.",
    "secondary_email": "A further address of one person belongs to somebody else; only that address is left out.",
    "cross_login": "The username of one person is the e-mail address of another.",
    "held_by_inactive": "An inactive user still holds the value.",
    "disputed": "Strong keys of the object point at different users.",
    "contested": "Several new objects of one read want the same value.",
    "group_name": "Two groups want one name.",
}


@bp.get("/duplicates")
def show_duplicates() -> str:
    """The register, the newest first, with filters."""
    status = request.args.get("status", "open")
    query = CaseQuery(
        status if status in STATUSES else "open", request.args.get("kind", ""), request.args.get("source", "")
    )
    place = [CasePlace(request.args["at"], request.args["id"])] if {"at", "id"} <= set(request.args) else []
    with read() as session:
        cases = list_cases_of(session, query, _PAGE + 1, *place)
        counts, kinds = count_cases(session), kinds_of_cases(session)
    return render_template(
        "pages/duplicates.html",
        cases=cases[:_PAGE],
        query=query,
        counts=counts,
        kinds=kinds,
        statuses=STATUSES,
        sources=admin().sources.list(tenant()),
        next=cases[_PAGE - 1] if len(cases) > _PAGE else None,
    )


@bp.get("/duplicates/<case_id>")
def show_duplicate(case_id: str) -> str:
    """Both people side by side, the cause in a sentence, and what can be done."""
    with read() as session:
        case = _case(session, case_id)
        holder = _document(session, case.type, case.holder_id)
        present = _document(session, case.type, case.resource_id)
    wanted = flatten(orjson.loads(case.mapped))
    names = sorted({*wanted, *flatten(holder)} - {"active"})
    held = flatten(holder)
    return render_template(
        "pages/duplicate.html",
        case=case,
        cause=_CAUSES.get(case.kind, ""),
        holder=holder,
        present=present,
        rows=[(name, wanted.get(name), held.get(name), same(wanted.get(name), held.get(name), name)) for name in names],
    )


@bp.post("/duplicates/<case_id>/resolve")
def resolve_duplicate(case_id: str) -> ResponseReturnValue:
    """The plan that the resolution leads to, to be looked at and confirmed like any other."""
    how = request.form.get("how", "")
    if how not in set(Kind):
        raise Refused("that is no way to resolve a duplicate")
    asked = Resolution(case_id, Kind(how), request.form.get("value", "").strip(), "holder" in request.form)
    try:
        plan = services().resolutions.plan(tenant(), asked, administrator().name)
    except NotFound as error:
        raise NotThere(str(error)) from None
    except DomainError as error:
        raise Refused(f"this cannot be done: {error}") from None
    return redirect(url_for("console.show_run", run_id=plan.id), code=303)


@bp.post("/duplicates/dismiss")
def dismiss_duplicates() -> ResponseReturnValue:
    """The chosen cases are quiet until their value or holder changes."""
    chosen = request.form.getlist("case")
    if not chosen:
        raise Refused("nothing was chosen; tick the duplicates to dismiss")
    try:
        for case_id in chosen:
            services().resolutions.dismiss(tenant(), case_id, administrator().name)
    except NotFound as error:
        raise NotThere(str(error)) from None
    return redirect(url_for("console.show_duplicates"), code=303)


def _case(session: Session, case_id: str) -> DuplicateCase:
    case = find_case(session, case_id)
    if case is None:
        raise NotThere("there is no such duplicate")
    return case


def _document(session: Session, kind: str, resource_id: str | None) -> dict[str, Any]:
    found = find_resource(session, kind, resource_id, _NOBODY) if resource_id else None
    document: dict[str, Any] = orjson.loads(found.document) if found else {}
    return document
