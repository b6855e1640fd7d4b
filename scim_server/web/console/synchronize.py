"""Choosing whom to synchronize; the preview that follows is a run like any other."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scim_server.admin.errors import Refused
from scim_server.admin.jobs import PreviewRequest
from scim_server.admin.sources import Source, SourceKind
from scim_server.store.reads.plan_pages import objects_of
from scim_server.web.console.listing import list_people
from scim_server.web.console.site import admin, administrator, bp, read, tenant
from scim_server.web.scim.exchange import services

_NOT_READ = (SourceKind.LOCAL, SourceKind.SCIM)


@bp.get("/sources/<name>/synchronize")
def show_synchronize(name: str) -> str:
    """The users imported from this directory, to choose some or all of them."""
    source = _read_source(name)
    listed = list_people(services().registry_of(tenant()).user, "console.show_synchronize", source)
    with read() as session:
        objects = objects_of(session, source.id, [person.pk for person in listed.people.rows])
    return render_template("pages/synchronize.html", source=source, listed=listed, objects=objects)


@bp.post("/sources/<name>/synchronize")
def synchronize(name: str) -> ResponseReturnValue:
    """A preview waits for a worker; its page shows how far it is."""
    source = _read_source(name)
    chosen = request.form.getlist("object") if request.form.get("whom") == "chosen" else []
    if request.form.get("whom") == "chosen" and not chosen:
        raise Refused("nobody was chosen; tick some users, or synchronize all of them")
    asked = PreviewRequest(full="full" in request.form and not chosen, objects=chosen)
    job = admin().jobs.preview(tenant(), source.id, asked, administrator().name)
    return redirect(url_for("console.show_run", run_id=job.plan_id), code=303)


def _read_source(name: str) -> Source:
    """The source of that name; raises NotThere, and Refused where nobody reads it."""
    source = admin().sources.get(tenant(), name)
    if source.kind in _NOT_READ:
        raise Refused(f"{name} is not read: whoever pushes decides when")
    return source
