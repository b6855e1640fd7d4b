"""Sources that are read: the list of all sources, adding, editing, testing and scheduling one."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.schedules import OFF
from scim_server.admin.sources import Source, SourceKind
from scim_server.domain.observations import Finding, ReadFailed
from scim_server.store.reads.plans import list_plans
from scim_server.web.console.forms import fields_of, policies_of, typed
from scim_server.web.console.push_source import show_push_source
from scim_server.web.console.site import admin, bp, read, tenant

KINDS = {
    SourceKind.ACTIVE_DIRECTORY: "Active Directory",
    SourceKind.ENTRA: "Entra ID, read through Graph",
    SourceKind.SCIM: "Provisioning client that pushes",
    SourceKind.SAMPLE: "Sample directory, to try things out",
}


@bp.get("/sources")
def show_sources() -> str:
    """Every source with its last and next run, and what can be added."""
    sources = [source for source in admin().sources.list(tenant()) if source.kind is not SourceKind.LOCAL]
    with read() as session:
        last = {source.id: next(iter(list_plans(session, 1, source.id)), None) for source in sources}
    schedules = {schedule.source: schedule for schedule in admin().schedules.list(tenant())}
    used = {token.source: token.last_used_at for token in admin().tokens.list(tenant()) if token.last_used_at}
    return render_template(
        "pages/sources.html",
        sources=sources,
        kinds=KINDS,
        last=last,
        schedules=schedules,
        used=used,
        missing={source.name: _missing(source) for source in sources},
    )


@bp.route("/sources/add/<kind>", methods=["GET", "POST"])
def add_source(kind: str) -> ResponseReturnValue:
    """A form for a source of that kind; once it fits, the source exists and can be tested."""
    chosen = _kind(kind)
    fields = [] if chosen is SourceKind.SCIM else fields_of(kind, {})
    name, error = request.form.get("name", ""), None
    if request.method == "POST":
        settings, secrets = typed(fields)
        try:
            given = {key: value for key, value in settings.items() if value}
            admin().sources.add(tenant(), name, chosen, settings=given, secrets=secrets)
            return redirect(url_for("console.show_source", name=name), code=303)
        except Refused as refused:
            error, fields = str(refused), fields_of(kind, settings) if fields else []
    page = render_template("pages/add_source.html", label=KINDS[chosen], name=name, fields=fields, error=error)
    return page, 400 if error else 200


@bp.get("/sources/<name>")
def show_source(name: str) -> str:
    """One source: how to connect the client that pushes, or the settings of a directory that is read."""
    source = _source(name)
    return show_push_source(source) if source.kind is SourceKind.SCIM else _show(source)


@bp.post("/sources/<name>")
def edit_source(name: str) -> ResponseReturnValue:
    """The source has the settings of the form; a secret left empty stays."""
    source = _source(name)
    fields = [*fields_of(source.kind, source.settings, source.secrets), *policies_of(source.settings)]
    settings, secrets = typed(fields)
    try:
        admin().sources.edit(tenant(), name, settings=settings, secrets=secrets)
    except Refused as refused:
        return _show(source, error=str(refused), values={**source.settings, **settings}), 400
    return redirect(url_for("console.show_source", name=name, saved=1), code=303)


@bp.post("/sources/<name>/test")
def test_source(name: str) -> str:
    """The connection test, finding by finding."""
    source = _source(name)
    try:
        findings = list(admin().reader_of(tenant(), source.id).check())
    except (Refused, ReadFailed) as error:
        return _show(source, error=str(error))
    return _show(source, findings=findings)


@bp.post("/sources/<name>/schedule")
def schedule_source(name: str) -> ResponseReturnValue:
    """The source is read by itself at these times, or no more."""
    try:
        admin().schedules.put(tenant(), name, request.form.get("rule", "").strip() or OFF)
    except Refused as refused:
        return _show(_source(name), error=str(refused)), 400
    return redirect(url_for("console.show_source", name=name, saved=1), code=303)


@bp.route("/sources/<name>/remove", methods=["GET", "POST"])
def remove_source(name: str) -> ResponseReturnValue:
    """The source is gone, after a confirmation; refused while users, groups or duplicates belong to it."""
    source = _source(name)
    if request.method == "GET":
        return render_template("pages/remove_source.html", source=source)
    admin().sources.remove(tenant(), name)
    return redirect(url_for("console.show_sources"), code=303)


def _show(
    source: Source,
    *,
    error: str | None = None,
    values: dict[str, object] | None = None,
    findings: list[Finding] | None = None,
) -> str:
    shown = values or source.settings
    return render_template(
        "pages/source.html",
        source=source,
        label=KINDS[source.kind],
        fields=fields_of(source.kind, shown, source.secrets),
        policies=policies_of(shown),
        missing=_missing(source),
        schedule=admin().schedules.find(tenant(), source.name),
        findings=findings,
        error=error,
    )


def _source(name: str) -> Source:
    source = admin().sources.get(tenant(), name)
    if source.kind is SourceKind.LOCAL:
        raise NotThere("local edits are no source that can be set up")
    return source


def _missing(source: Source) -> list[str]:
    """The labels of settings without which the source cannot be read."""
    if source.kind is SourceKind.SCIM:
        return []
    given = {*source.settings, *source.secrets}
    return [each.label for each in admin().settings_of(source.kind) if each.required and each.name not in given]


def _kind(kind: str) -> SourceKind:
    if kind not in KINDS:
        raise NotThere(f"there are no sources of the kind {kind!r}")
    return SourceKind(kind)
