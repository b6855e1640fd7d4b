"""One person of a directory: found by name, and followed through the five steps of a synchronization."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

import click
import orjson

from scim_server.admin.errors import NotThere, Refused
from scim_server.cli.context import Context
from scim_server.cli.plans import action_of, changes_of, reason_of
from scim_server.domain.observations import Evidence, Observation, ReadFailed
from scim_server.reconciler.runs import PlanSummary, RunSummary
from scim_server.store.reads.plans import ItemCase

_SCOPE = {
    Evidence.PRESENT: "within the scope",
    Evidence.OUT_OF_SCOPE: "outside the scope of the source",
    Evidence.SOFT_DELETED: "deleted, and may be restored",
    Evidence.DELETED: "deleted",
}


class Step(TypedDict):
    """One step in words."""

    step: str
    text: str


def find_objects(context: Context, tenant_id: int, source_id: int, names: Sequence[str]) -> list[str]:
    """The immutable ids of everything in the directory that has one of the names. Raises Refused, NotThere."""
    return [each.immutable_id for name in names for each in _find(context, tenant_id, source_id, name)]


def find_person(context: Context, tenant_id: int, source_id: int, name: str) -> Observation:
    """The one object of that name. Raises NotThere, and Refused where there are several."""
    found = _find(context, tenant_id, source_id, name)
    if len(found) > 1:
        listed = "; ".join(f"{_called(each)} is {each.immutable_id}" for each in found)
        raise Refused(f"{len(found)} objects are called {name!r}; take the immutable id: {listed}")
    return found[0]


def decide(found: Observation, plan: PlanSummary, items: Iterator[ItemCase]) -> list[Step]:
    """What was read of the person, whether the scope covers it, whom it is, and what is to happen."""
    item = _item_of(found, items)
    place = f" at {found.location}" if found.location else ""
    read = f"{_called(found)}{place}, immutable id {found.immutable_id}, read at {found.read_at:%Y-%m-%d %H:%M:%S} UTC"
    return [
        Step(step="read", text=read),
        Step(step="scope", text=_SCOPE[found.evidence]),
        Step(step="match", text=_match(item)),
        Step(step="decide", text=_decision(plan, item)),
    ]


def tell_written(plan: PlanSummary, run: PlanSummary | RunSummary | None, items: Iterator[ItemCase]) -> Step:
    """What was written of it."""
    if run is None:
        blocked = " ".join(breaker.text for breaker in plan.blocked)
        return Step(step="write", text=f"nothing: {blocked or 'it was only looked at'}")
    statuses = {item.status for item in items if item.after is not None}
    done = ", ".join(f"{number} {word}" for word, number in run.counts.as_dict().items() if number and word != "read")
    return Step(step="write", text=f"{done or 'nothing changed'}{'' if statuses <= {'done'} else ' (not everything)'}")


def print_steps(steps: Sequence[Step], *, explain: bool) -> None:
    """The steps, each with its number; without ``explain`` only what was decided and written."""
    order = ("read", "scope", "match", "decide", "write")
    for step in steps:
        if explain:
            click.echo(f"{order.index(step['step']) + 1}. {step['step']:<7} {step['text']}")
        elif step["step"] in ("decide", "write"):
            click.echo(step["text"])


def _find(context: Context, tenant_id: int, source_id: int, name: str) -> list[Observation]:
    reader = context.readers(tenant_id, source_id)
    try:
        found = list(reader.find(name)) or list(reader.look_up([name]).values())
    except ReadFailed as error:
        raise Refused(str(error)) from error
    if not found:
        raise NotThere(f"nobody in the directory has the username, e-mail address or name {name!r}")
    exact = [each for each in found if str(each.attributes.get("userName")).lower() == name.lower()]
    return exact or found


def _item_of(found: Observation, items: Iterator[ItemCase]) -> ItemCase | None:
    return next((item for item in items if item.immutable_id == found.immutable_id), None)


def _match(item: ItemCase | None) -> str:
    if item is None:
        return "known from an earlier run by its immutable id"
    match = orjson.loads(item.trace).get("match", {})
    by = f" by {match['by']}" if match.get("by") else ""
    return f"{match.get('outcome', 'unknown')}{by}. {match.get('reason', '')}".strip()


def _decision(plan: PlanSummary, item: ItemCase | None) -> str:
    if item is None:
        return "unchanged" if plan.counts.unchanged else plan.reason or "nothing is to be done"
    changed = ", ".join(name.rpartition(":")[2] for name in changes_of(item))
    return ". ".join(filter(None, [f"{action_of(item)}{f' ({changed})' if changed else ''}", reason_of(item)]))


def _called(found: Observation) -> str:
    return str(found.attributes.get("userName") or found.attributes.get("displayName") or found.immutable_id)
