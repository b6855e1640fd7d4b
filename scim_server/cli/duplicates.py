"""``scim-server duplicates``: objects withheld because another holds their username or e-mail address."""

import click
import orjson

from scim_server.admin.errors import NotThere
from scim_server.cli.context import Context, pass_context
from scim_server.cli.output import json_option, print_json, print_pairs, print_table, tenant_option
from scim_server.store.reads.duplicates import STATUSES, DuplicateCase, count_cases, find_case, list_cases


@click.group()
def duplicates() -> None:
    """See which users and groups were withheld, and who holds what they wanted."""


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


def _document(case: DuplicateCase) -> dict[str, object]:
    return {**case._asdict(), "mapped": orjson.loads(case.mapped)}


def _row(case: DuplicateCase) -> tuple[object, ...]:
    holder = case.holder_display or case.holder_id or case.holder_object
    return case.id, case.kind, case.value, case.source, case.immutable_id, holder, case.seen, case.last_at
