"""``scim-server source``: where users and groups come from."""

from pathlib import Path

import click

from scim_server.admin.errors import Refused
from scim_server.admin.sources import Source, SourceKind
from scim_server.cli.context import Context, pass_context
from scim_server.cli.options import parse_settings, password_option, read_password, settings_option
from scim_server.cli.output import Exit, json_option, print_json, print_pairs, print_table, tenant_option, to_json
from scim_server.cli.person import find_objects
from scim_server.domain.observations import Outcome, ReadFailed
from scim_server.readers import connector_of, missing_settings
from scim_server.reconciler.selection import Selection

_KINDS = [kind.value for kind in SourceKind if kind is not SourceKind.LOCAL]
_COLOURS = {Outcome.OK: "green", Outcome.WARNING: "yellow", Outcome.FAILED: "red"}


@click.group()
def source() -> None:
    """Manage the directories and clients that users and groups come from."""


@source.command("add")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(_KINDS), help="What the source is.")
@click.option("--rank", type=click.IntRange(0, 1000), help="The smaller has the say; by default that of the kind.")
@settings_option
@password_option
@tenant_option
@json_option
@pass_context
def add_source(
    context: Context,
    name: str,
    kind: str,
    rank: int | None,
    settings: tuple[str, ...],
    ask: bool,
    password_file: Path | None,
    tenant: str,
    as_json: bool,
) -> None:
    """Add a source."""
    added = context.sources.add(
        context.tenant_id(tenant),
        name,
        SourceKind(kind),
        rank=rank,
        settings=parse_settings(settings),
        secrets=_secrets(kind, read_password(ask, password_file)),
    )
    _show(context, tenant, added, as_json)
    _warn_of_missing(added)


@source.command("list")
@tenant_option
@json_option
@pass_context
def list_sources(context: Context, tenant: str, as_json: bool) -> None:
    """List the sources, the highest authority first."""
    tenant_id = context.tenant_id(tenant)
    sources = context.sources.list(tenant_id)
    schedules = {schedule.source: schedule for schedule in context.schedules.list(tenant_id)}
    if as_json:
        print_json([{**to_json(each), "schedule": to_json(schedules.get(each.name))} for each in sources])
        return
    rows = []
    for each in sources:
        schedule = schedules.get(each.name)
        when = (schedule.rule, schedule.next_run_at) if schedule else (None, None)
        rows.append((each.name, each.kind, each.rank, *when, each.created_at))
    print_table(("Name", "Kind", "Rank", "Schedule", "Next run", "Created"), rows, empty="There is no source.")


@source.command("show")
@click.argument("name")
@tenant_option
@json_option
@pass_context
def show_source(context: Context, name: str, tenant: str, as_json: bool) -> None:
    """Show a source with its settings; of secrets only which are set."""
    _show(context, tenant, context.sources.get(context.tenant_id(tenant), name), as_json)


@source.command("edit")
@click.argument("name")
@click.option("--rank", type=click.IntRange(0, 1000), help="The smaller has the say.")
@settings_option
@password_option
@tenant_option
@json_option
@pass_context
def edit_source(
    context: Context,
    name: str,
    rank: int | None,
    settings: tuple[str, ...],
    ask: bool,
    password_file: Path | None,
    tenant: str,
    as_json: bool,
) -> None:
    """Change settings, rank or password of a source."""
    tenant_id = context.tenant_id(tenant)
    kind = context.sources.get(tenant_id, name).kind
    edited = context.sources.edit(
        tenant_id,
        name,
        rank=rank,
        settings=parse_settings(settings),
        secrets=_secrets(kind, read_password(ask, password_file)),
    )
    _show(context, tenant, edited, as_json)
    _warn_of_missing(edited)


@source.command("remove")
@click.argument("name")
@tenant_option
@json_option
@pass_context
def remove_source(context: Context, name: str, tenant: str, as_json: bool) -> None:
    """Remove a source that nothing comes from any more, and its tokens."""
    context.sources.remove(context.tenant_id(tenant), name)
    if as_json:
        print_json({"removed": name})
    else:
        click.echo(f"Removed {name}.")


@source.command("check")
@click.argument("name")
@tenant_option
@json_option
@pass_context
def check_source(context: Context, name: str, tenant: str, as_json: bool) -> int:
    """Test the connection step by step, with the remedy for what fails; exit code 1 where something does."""
    tenant_id = context.tenant_id(tenant)
    findings = context.readers(tenant_id, context.sources.get(tenant_id, name).id).check()
    failed = any(finding.outcome is Outcome.FAILED for finding in findings)
    if as_json:
        print_json({"works": not failed, "steps": findings})
    for finding in () if as_json else findings:
        click.secho(f"{finding.outcome.value:<8}", fg=_COLOURS[finding.outcome], nl=False)
        click.echo(f"{finding.step}: {finding.text}")
        if finding.remedy:
            click.echo(f"{'':<8}{finding.remedy}")
    return Exit.FAILED if failed else Exit.DONE


@source.command("browse")
@click.argument("name")
@click.option("--below", help="Id of the place to look into; the top if left out.")
@tenant_option
@json_option
@pass_context
def browse_source(context: Context, name: str, below: str | None, tenant: str, as_json: bool) -> None:
    """Look at the organizational units and groups of a directory, to choose the scope from."""
    tenant_id = context.tenant_id(tenant)
    reader = context.readers(tenant_id, context.sources.get(tenant_id, name).id)
    try:
        places = reader.browse(below)
    except ReadFailed as error:
        raise Refused(str(error)) from error
    if as_json:
        print_json(places)
    else:
        rows = [(place.name, place.kind, place.has_children, place.id) for place in places]
        print_table(("Name", "Kind", "More below", "Id"), rows, empty="There is nothing.")


@source.command("choose")
@click.argument("name")
@click.argument("people", nargs=-1)
@click.option("--remove", is_flag=True, help="Bring them in no longer.")
@tenant_option
@json_option
@pass_context
def choose_people(
    context: Context, name: str, people: tuple[str, ...], remove: bool, tenant: str, as_json: bool
) -> None:
    """Choose who comes in from a source with import_mode=chosen, by name or immutable id; without names, list them.

    They come in with the next run that reads everything (`--full`), or by `sync one`.
    """
    tenant_id = context.tenant_id(tenant)
    source_id = context.sources.get(tenant_id, name).id
    selection = Selection(context.database)
    found = find_objects(context, tenant_id, source_id, people)
    (selection.leave_out if remove else selection.choose)(tenant_id, source_id, found)
    chosen = sorted(selection.chosen(tenant_id, source_id))
    if as_json:
        print_json({"source": name, "chosen": chosen})
    else:
        click.echo("\n".join(chosen) or "Nobody is chosen.")


@source.command("schedule")
@click.argument("name")
@click.argument("rule")
@tenant_option
@json_option
@pass_context
def schedule_source(context: Context, name: str, rule: str, tenant: str, as_json: bool) -> None:
    """Read a source regularly: "every 40 minutes", "daily 02:30", "weekly mon,thu 02:30", or off.

    Times are UTC unless a zone follows: "daily 02:30 Europe/Amsterdam". A scheduled run confirms itself unless a
    breaker holds it; a server or a worker has to be running.
    """
    schedule = context.schedules.put(context.tenant_id(tenant), name, rule)
    if as_json:
        print_json(
            {"source": name, "rule": schedule and schedule.rule, "next_run_at": schedule and schedule.next_run_at}
        )
    elif schedule is None:
        click.echo(f"{name} is read only when somebody asks for it.")
    else:
        click.echo(f"{name} is read {schedule.rule}, next at {schedule.next_run_at:%Y-%m-%d %H:%M} UTC.")


@source.command("reseal")
@tenant_option
@json_option
@pass_context
def reseal_sources(context: Context, tenant: str, as_json: bool) -> None:
    """Seal every stored password anew with the first key of SCIM_SERVER_SECRET_KEY."""
    number = context.sources.reseal(context.tenant_id(tenant))
    if as_json:
        print_json({"resealed": number})
    else:
        click.echo(f"Sealed the passwords of {number} sources with the newest key.")


def _secrets(kind: str, password: str) -> dict[str, str]:
    """The password under the name its connector gives it: its first secret."""
    if not password:
        return {}
    if kind == SourceKind.SCIM:
        return {"password": password}
    secrets = [setting.name for setting in connector_of(kind).settings if setting.is_secret]
    return {secrets[0] if secrets else "password": password}


def _warn_of_missing(shown: Source) -> None:
    if shown.kind in (SourceKind.SCIM, SourceKind.LOCAL):
        return
    missing = missing_settings(shown.kind, shown.settings, shown.secrets)
    if missing:
        click.echo(
            f"Still missing: {', '.join(missing)}. `source edit {shown.name} --set NAME=VALUE` adds them.", err=True
        )


def _show(context: Context, tenant: str, shown: Source, as_json: bool) -> None:
    schedule = context.schedules.find(context.tenant_id(tenant), shown.name)
    if as_json:
        print_json({**to_json(shown), "schedule": to_json(schedule)})
        return
    pairs = {"Name": shown.name, "Kind": shown.kind, "Rank": shown.rank, "Created": shown.created_at}
    if schedule:
        pairs |= {"Schedule": schedule.rule, "Next run": schedule.next_run_at}
    print_pairs({**pairs, "Secrets set": shown.secrets, **shown.settings})
