"""``scim-server duplicates``: objects withheld because another holds their username or e-mail address."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
import orjson

from scim_server.admin.errors import NotThere
from scim_server.admin.jobs import ApplyRequest
from scim_server.admin.schemas import SchemaCatalog
from scim_server.cli.confirmation import ACTOR, apply_plan, ask, tell_run
from scim_server.cli.context import Context, pass_context
from scim_server.cli.output import Exit, json_option, print_json, print_pairs, print_table, tenant_option
from scim_server.cli.plans import items_of, load_plan, plan_document, print_plan
from scim_server.domain.plan import PlanStatus
from scim_server.reconciler.resolutions import Kind, Resolution, Resolutions
from scim_server.store.reads.duplicates import STATUSES, DuplicateCase, count_cases, find_case, list_cases

Command = TypeVar("Command", bound=Callable[..., Any])


def _resolution_options(command: Command) -> Command:
    """What every resolution that changes something takes."""
    for option in (
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Show what would be done, and stop."),
        tenant_option,
        json_option,
    ):
        command = option(command)
    return command


@click.group()
def duplicates() -> None:
    """See which users and groups were withheld, who holds what they wanted, and resolve it."""


@duplicates.command("list")
@click.option("--status", default="open", show_default=True, type=click.Choice(STATUSES))
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@tenant_option
@json_option
@pass_context
def list_duplicates(context: Context, status: str, limit: int, tenant: str, as_json: bool) -> None:
    """List duplicates, the newest first."""
    with context.database.reading(context.tenant_id(tenant)) as session:
        cases = list_cases(session, status, limit)
        counts = count_cases(session)
    if as_json:
        print_json({"counts": counts, "duplicates": [_document(case) for case in cases]})
        return
    columns = ("Id", "Kind", "Value", "Source", "Object", "Held by", "Seen", "Last seen")
    print_table(columns, [_row(case) for case in cases], empty=f"There is no {status} duplicate.")
    if len(cases) < counts[status]:
        click.echo(f"{len(cases)} of {counts[status]}; --limit shows more.", err=True)


@duplicates.command("show")
@click.argument("duplicate_id")
@tenant_option
@json_option
@pass_context
def show_duplicate(context: Context, duplicate_id: str, tenant: str, as_json: bool) -> None:
    """Show one duplicate with everything the object wanted to be."""
    with context.database.reading(context.tenant_id(tenant)) as session:
        case = find_case(session, duplicate_id)
    if case is None:
        raise NotThere(f"there is no duplicate {duplicate_id!r}; `scim-server duplicates list` shows all")
    if as_json:
        print_json(_document(case))
        return
    document = _document(case)
    wanted = document.pop("mapped")
    print_pairs(document)
    click.echo("\nWanted to be:")
    click.echo(orjson.dumps(wanted, option=orjson.OPT_INDENT_2).decode())


@duplicates.command("link")
@click.argument("duplicate_id")
@_resolution_options
@pass_context
def link_duplicate(context: Context, /, duplicate_id: str, **options: Any) -> int:
    """The object is the one who holds the value: the same person, from now on linked."""
    return _resolve(context, Resolution(duplicate_id, Kind.LINK), **options)


@duplicates.command("merge")
@click.argument("duplicate_id")
@_resolution_options
@pass_context
def merge_duplicate(context: Context, /, duplicate_id: str, **options: Any) -> int:
    """Two users are one person: who wants the value goes up in who holds it, and its old id still leads there."""
    return _resolve(context, Resolution(duplicate_id, Kind.MERGE), **options)


@duplicates.command("rename")
@click.argument("duplicate_id")
@click.option("--to", "value", required=True, help="The new username or e-mail address; it stays until it is unpinned.")
@click.option("--holder", is_flag=True, help="Rename the one who holds the value, not the one who wants it.")
@_resolution_options
@pass_context
def rename_duplicate(context: Context, /, duplicate_id: str, value: str, holder: bool, **options: Any) -> int:
    """Give one of the two another username or address."""
    return _resolve(context, Resolution(duplicate_id, Kind.RENAME, value, holder), **options)


@duplicates.command("release")
@click.argument("duplicate_id")
@_resolution_options
@pass_context
def release_duplicate(context: Context, /, duplicate_id: str, **options: Any) -> int:
    """Take the value off an inactive holder; the object comes in with the next run."""
    return _resolve(context, Resolution(duplicate_id, Kind.RELEASE), **options)


@duplicates.command("dismiss")
@click.argument("duplicate_id")
@tenant_option
@json_option
@pass_context
def dismiss_duplicate(context: Context, duplicate_id: str, tenant: str, as_json: bool) -> None:
    """Leave the object withheld, without alerts, until its value or the holder changes."""
    _resolutions(context).dismiss(context.tenant_id(tenant), duplicate_id, ACTOR)
    if as_json:
        print_json({"dismissed": duplicate_id})
    else:
        click.echo(f"Dismissed {duplicate_id}.")


def _resolve(context: Context, resolution: Resolution, *, yes: bool, dry_run: bool, tenant: str, as_json: bool) -> int:
    """The resolution is planned, shown, and unless somebody objects carried out."""
    tenant_id = context.tenant_id(tenant)
    plan = _resolutions(context).plan(tenant_id, resolution, ACTOR)
    if not as_json:
        print_plan(plan, items_of(context, tenant_id, plan.id))
    if dry_run or plan.status is not PlanStatus.READY:
        if as_json:
            print_json(plan_document(plan, items_of(context, tenant_id, plan.id)))
        return Exit.BLOCKED if plan.status is PlanStatus.BLOCKED else Exit.DONE
    case = load_plan(context, tenant_id, plan.id)
    if not as_json:
        ask(case, yes)
    return tell_run(apply_plan(context, tenant_id, case, ApplyRequest(plan.fingerprint), quiet=as_json), as_json)


def _resolutions(context: Context) -> Resolutions:
    return Resolutions(context.database, SchemaCatalog(context.database, context.clock).registry, context.clock)


def _document(case: DuplicateCase) -> dict[str, object]:
    return {**case._asdict(), "mapped": orjson.loads(case.mapped)}


def _row(case: DuplicateCase) -> tuple[object, ...]:
    holder = case.holder_display or case.holder_id or case.holder_object
    return case.id, case.kind, case.value, case.source, case.immutable_id, holder, case.seen, case.last_at
