"""The counts of a plan or run; console, command line and API use these words."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from scim_server.domain.attributes import differences
from scim_server.domain.breakers import PlanFacts
from scim_server.domain.observations import Kind
from scim_server.domain.plan import ItemStatus, Operation, PlanItem


@dataclass(frozen=True, slots=True)
class Counts:
    """How many objects each thing happened to; ``duplicated`` counts withheld objects, not their conflicts."""

    read: int = 0
    added: int = 0
    modified: int = 0
    reactivated: int = 0
    deactivated: int = 0
    deleted: int = 0
    restored: int = 0
    linked: int = 0
    unlinked: int = 0
    duplicated: int = 0
    dismissed: int = 0
    blocked_by: int = 0
    unchanged: int = 0
    out_of_scope: int = 0
    deferred: int = 0
    stale: int = 0
    errors: int = 0

    def as_dict(self) -> dict[str, int]:
        """Word to number, in the order in which they are shown."""
        return asdict(self)


_WORDS = {
    Operation.ADD: "added",
    Operation.UPDATE: "modified",
    Operation.REACTIVATE: "reactivated",
    Operation.DEACTIVATE: "deactivated",
    Operation.DELETE: "deleted",
    Operation.RESTORE: "restored",
    Operation.LINK: "linked",
    Operation.UNLINK: "unlinked",
    Operation.DUPLICATE: "duplicated",
    Operation.DISMISSED: "dismissed",
    Operation.BLOCKED_BY: "blocked_by",
    Operation.UNCHANGED: "unchanged",
    Operation.OUT_OF_SCOPE: "out_of_scope",
    Operation.ERROR: "errors",
}


def count(items: Iterable[PlanItem], *, read: int = 0, kind: Kind = Kind.USER) -> Counts:
    """The counts over the items of one kind: what the plan would do, or, by their statuses, what a run did.

    Items that were not selected are not counted. An object that is withheld for two values is one duplicated object.
    """
    numbers: Counter[str] = Counter()
    withheld: set[tuple[int, str, str]] = set()
    for item in items:
        if item.kind is not kind or item.status is ItemStatus.SKIPPED:
            continue
        numbers["deferred"] += bool(item.deferred)
        word = _word(item)
        if word == "duplicated":
            withheld.add((item.source_id, item.immutable_id, word))
        else:
            numbers[word] += 1
    numbers["duplicated"] = len(withheld)
    return Counts(read=read, **numbers)


def facts_of(
    items: Iterable[PlanItem],
    *,
    linked: int,
    read: int,
    full: bool,
    scope_changed: bool = False,
    mapping_changed: bool = False,
    protected: frozenset[str] = frozenset(),
    last_administrator: bool = False,
) -> PlanFacts:
    """What the circuit breakers need to know of a plan; ``protected`` are the ids of users nobody may remove."""
    users = [item for item in items if item.kind is Kind.USER]
    counts = count(users)
    return PlanFacts(
        linked=linked,
        read=read,
        full=full,
        removals=sum(item.is_removal for item in users),
        identity_changes=sum(item.renames for item in users),
        duplicates=counts.duplicated,
        errors=counts.errors,
        scope_changed=scope_changed,
        mapping_changed=mapping_changed,
        protected=sum(item.is_removal and item.user_id in protected for item in users),
        last_administrator=last_administrator,
    )


def _word(item: PlanItem) -> str:
    if item.status is ItemStatus.STALE:
        return "stale"
    if item.status is ItemStatus.ERROR:
        return "errors"
    return "unchanged" if item.op is Operation.UPDATE and not _modifies(item) else _WORDS[item.op]


def _modifies(item: PlanItem) -> bool:
    """A directory that re-encodes a value, or a link that is only seen again, has modified nobody."""
    return bool(differences(item.before or {}, item.after or {}, canonical=True))
