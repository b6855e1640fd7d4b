"""Circuit breakers: reasons to hold a whole plan back until somebody looks at it, evaluated before the first write.

They are cheap insurance against a wrong filter, a wrong mapping or a directory that answers "nothing". The defaults lie
where Entra ID (500 objects), Okta (20 %) and SailPoint (1-20 %) put theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings of a source. Percentages compare exactly, without rounding.

    Shares are judged only from ``smallest_base`` objects and ``smallest_share`` affected ones: in a directory of three
    people one leaver is no catastrophe.
    """

    removals: int = 500
    removals_percent: int = 10
    shrunken_percent: int = 50
    identity_percent: int = 20
    duplicates_percent: int = 20
    errors_percent: int = 10
    smallest_base: int = 20
    smallest_share: int = 5


@dataclass(frozen=True, slots=True)
class History:
    """What earlier runs of the source left: objects in its last complete full read (None: there was none), and removals
    of all its runs within the last 24 hours."""

    last_complete_read: int | None = None
    removals_24h: int = 0


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan is about to do. ``linked`` counts the users with a present link of the source before the plan.

    ``removals``: deleted, deactivated or without their last link. ``full``: the read enumerated everything in scope.
    ``protected`` counts protected users that would be removed, ``last_administrator`` tells that no active
    administrator would be left.
    """

    linked: int
    read: int = 0
    full: bool = False
    removals: int = 0
    identity_changes: int = 0
    duplicates: int = 0
    errors: int = 0
    scope_changed: bool = False
    mapping_changed: bool = False
    protected: int = 0
    last_administrator: bool = False


@dataclass(frozen=True, slots=True)
class Tripped:
    """One breaker that holds the plan; whoever approves types ``number`` to show that it was read."""

    name: str
    text: str
    number: int = field(default=0)


def evaluate(facts: PlanFacts, history: History | None = None, limits: Limits | None = None) -> list[Tripped]:
    """The breakers that trip, in a fixed order; empty means the plan is ready."""
    limits = limits or Limits()
    history = history or History()
    return [
        *_removals(facts, limits),
        *_removals_in_a_day(facts, history, limits),
        *_read(facts, history, limits),
        *_settings_changed(facts),
        *_shares(facts, limits),
        *_people(facts),
    ]


def _removals(facts: PlanFacts, limits: Limits) -> Iterator[Tripped]:
    if _too_many(facts.removals, facts.linked, limits):
        text = f"{facts.removals} of {facts.linked} users would be removed {_limit(limits)}."
        yield Tripped("removals", text, facts.removals)


def _removals_in_a_day(facts: PlanFacts, history: History, limits: Limits) -> Iterator[Tripped]:
    """Many small runs add up; a run without removals is not held for what others did."""
    together = facts.removals + history.removals_24h
    base = facts.linked + history.removals_24h  # as many as there were before the first of these runs
    if facts.removals and history.removals_24h and _too_many(together, base, limits):
        text = (
            f"{facts.removals} users would be removed and {history.removals_24h} were within 24 hours: "
            f"{together} of {base} {_limit(limits)}."
        )
        yield Tripped("removals_24h", text, together)


def _too_many(removals: int, base: int, limits: Limits) -> bool:
    if removals >= limits.removals:
        return removals > 0
    return _judged(removals, base, limits) and removals * 100 >= base * limits.removals_percent


def _judged(affected: int, base: int, limits: Limits) -> bool:
    return base >= limits.smallest_base and affected >= limits.smallest_share


def _limit(limits: Limits) -> str:
    return f"(held from {limits.removals} users or {limits.removals_percent} %)"


def _read(facts: PlanFacts, history: History, limits: Limits) -> Iterator[Tripped]:
    """Only a full read can be too small; an incremental one is usually empty."""
    if not facts.full:
        return
    before = history.last_complete_read
    if facts.read == 0:
        text = "The source answered without a single object" + (
            f"; the last complete read had {before}." if before else "."
        )
        yield Tripped("empty_read", text, before or 0)
    elif before and facts.read * 100 < before * limits.shrunken_percent:
        share = f"(held below {limits.shrunken_percent} %)"
        text = f"Only {facts.read} objects were read, the last complete read had {before} {share}."
        yield Tripped("shrunken_read", text, facts.read)


def _settings_changed(facts: PlanFacts) -> Iterator[Tripped]:
    changed = [name for name, is_so in (("scope", facts.scope_changed), ("mapping", facts.mapping_changed)) if is_so]
    if changed and facts.removals:
        text = (
            f"The {' and the '.join(changed)} changed since the last run, and {facts.removals} users would be removed."
        )
        yield Tripped("settings_changed", text, facts.removals)


def _shares(facts: PlanFacts, limits: Limits) -> Iterator[Tripped]:
    # A read of changes is small, and every standing duplicate is tried again with it: everybody is the measure then.
    read = facts.read if facts.full else max(facts.read, facts.linked)
    for name, affected, base, percent, text in (
        (
            "identity_churn",
            facts.identity_changes,
            facts.linked,
            limits.identity_percent,
            "linked users would get another username or e-mail address",
        ),
        ("duplicates", facts.duplicates, read, limits.duplicates_percent, "objects are duplicates"),
        ("errors", facts.errors, read, limits.errors_percent, "objects cannot be imported"),
    ):
        if _judged(affected, base, limits) and affected * 100 > base * percent:
            yield Tripped(name, f"{affected} of {base} {text} (held above {percent} %).", affected)


def _people(facts: PlanFacts) -> Iterator[Tripped]:
    if facts.last_administrator:
        yield Tripped("last_administrator", "No active administrator would be left.", 1)
    if facts.protected:
        yield Tripped("protected_users", f"{facts.protected} protected users would be removed.", facts.protected)
