"""Plans and runs as commands print them: for people, as JSON, and as CSV for a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

import click
import orjson

from scim_server.admin.errors import NotThere
from scim_server.cli.context import Context
from scim_server.cli.output import print_table
from scim_server.domain.attributes import differences
from scim_server.reconciler.runs import PlanSummary, RunSummary
from scim_server.store.reads.plans import ItemCase, PlanCase, find_plan, list_items

_PAGE = 500
_OF_EACH = 8
_QUIET = ("unchanged", "out_of_scope")
_FIRST = (
    "deleted",
    "deactivated",
    "unlinked",
    "duplicated",
    "blocked_by",
    "errors",
    "stale",
    "restored",
    "reactivated",
)
"""What an administrator has to look at; the rest comes behind, in the order of the plan."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = ("action", "username", "immutable_id", "status", "attribute", "old", "new", "reason")


def load_plan(context: Context, tenant_id: int, plan_id: str) -> PlanCase:
    """The plan of that id; raises NotThere."""
    with context.database.reading(tenant_id) as session:
        plan = find_plan(session, plan_id)
    if plan is None:
        raise NotThere(f"there is no plan or run {plan_id!r}; `scim-server sync history` shows all")
    return plan


def items_of(context: Context, tenant_id: int, plan_id: str) -> Iterator[ItemCase]:
    """Every item of the plan, page by page."""
    after = 0
    while True:
        with context.database.reading(tenant_id) as session:
            page = list_items(session, plan_id, _PAGE, after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def item_document(item: ItemCase) -> dict[str, Any]:
    """One item as JSON shows it."""
    return {
        "action": action_of(item),
        "kind": item.kind,
        "username": item.display,
        "immutable_id": item.immutable_id,
        "changes": {name: {"old": old, "new": new} for name, (old, new) in changes_of(item).items()},
        "reason": reason_of(item),
        "component": item.component,
        "status": item.status,
    }


def plan_document(plan: PlanSummary, items: Iterator[ItemCase]) -> dict[str, Any]:
    """A plan as JSON shows it."""
    return {
        "plan": plan.id,
        "fingerprint": plan.fingerprint,
        "status": plan.status,
        "reason": plan.reason,
        "counts": plan.counts.as_dict(),
        "groups": plan.group_counts.as_dict(),
        "blocked": [{"breaker": each.name, "number": each.number, "text": each.text} for each in plan.blocked],
        "items": [item_document(item) for item in items],
    }


def run_document(run: RunSummary | PlanSummary) -> dict[str, Any]:
    """A run as JSON shows it."""
    return {
        "run": run.id,
        "status": run.status,
        "reason": run.reason,
        "counts": run.counts.as_dict(),
        "groups": run.group_counts.as_dict(),
    }


def action_of(item: ItemCase) -> str:
    """What happens to the object; a link that is only seen again is nothing that happens."""
    return "unchanged" if item.word == "unchanged" else item.op


def changes_of(item: ItemCase) -> Mapping[str, tuple[Any, Any]]:
    """Attribute to its old and new value; nothing where the object stays as it is."""
    if item.after is None and item.op != "delete":
        return {}
    return differences(_document(item.before), _document(item.after), canonical=True)


def reason_of(item: ItemCase) -> str:
    """Why, in words."""
    return " ".join([*orjson.loads(item.reasons), *filter(None, [item.error])])


def print_counts(summary: PlanSummary | RunSummary) -> None:
    """What happened to users, and to groups, in the words of the counts; numbers that are zero are left out."""
    for title, counts in (("Users", summary.counts), ("Groups", summary.group_counts)):
        numbers = {word: number for word, number in counts.as_dict().items() if number}
        if numbers:
            text = ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in numbers.items())
            click.echo(f"{title:<7} {text}")


def print_plan(plan: PlanSummary, items: Iterator[ItemCase]) -> None:
    """A plan for people: its counts, and some of everything that happens."""
    print_counts(plan)
    shown, more = pick_examples(items, _OF_EACH)
    rows = [(item.word.replace("_", " "), item.display, _differences(item), reason_of(item)) for item in shown]
    if rows:
        click.echo()
        print_table(("Action", "Who", "Changes", "Why"), rows, empty="")
    if more:
        click.echo(f"... and {more} more; --json or `scim-server sync export {plan.id}` shows all.")
    for breaker in plan.blocked:
        click.secho(f"Blocked by {breaker.name} ({breaker.number}): {breaker.text}", fg="red")
    if plan.reason:
        click.echo(plan.reason)


def pick_examples(items: Iterable[ItemCase], of_each: int) -> tuple[list[ItemCase], int]:
    """So many items of each kind of thing that happens, removals and duplicates first, and how many there are more."""
    picked: dict[str, list[ItemCase]] = {word: [] for word in _FIRST}
    more = 0
    for item in items:
        if item.word in _QUIET:
            continue
        same = picked.setdefault(item.word, [])
        if len(same) < of_each:
            same.append(item)
        else:
            more += 1
    return [item for same in picked.values() for item in same], more


def write_csv(items: Iterator[ItemCase], file: TextIO) -> None:
    """One line for each changed attribute; a spreadsheet takes no value for a formula.

    A cell that begins like one gets an apostrophe in front (OWASP, CSV injection).
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for item in items:
        changes = changes_of(item) or {"": (None, None)}
        for name, (old, new) in changes.items():
            row = (action_of(item), item.display, item.immutable_id, item.status, name, old, new, reason_of(item))
            writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.startswith(_FORMULA) else text


def _differences(item: ItemCase) -> str:
    """The changed attributes in one line."""
    changed = changes_of(item)
    if item.before is None or item.op == "delete":
        return ""
    return "; ".join(
        f"{name.rpartition(':')[2]}: {_short(old)} → {_short(new)}" for name, (old, new) in changed.items()
    )


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return ", ".join(str(each.get("value", each)) if isinstance(each, dict) else str(each) for each in value)
    return str(value)


def _document(text: str | None) -> Mapping[str, Any]:
    document: Mapping[str, Any] = orjson.loads(text) if text else {}
    return document
