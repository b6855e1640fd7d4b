"""Counting what a plan would do, or what a run of it did."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from scim_server.domain.counts import Counts
from scim_server.store.engine import Session
from scim_server.store.identities import plan_items

Base = Mapping[str, Mapping[str, int]]
"""Kind to the numbers that no item carries: objects read, unchanged, out of scope."""

_KINDS = ("User", "Group")
_KNOWN = frozenset(each.name for each in fields(Counts))


def tally(session: Session, plan: str, base: Base) -> dict[str, Counts]:
    """The counts by kind: by the words of the items, or, once a run has touched them, by what became of them."""
    numbers: dict[str, dict[str, int]] = {kind: dict(base.get(kind, {})) for kind in _KINDS}
    for kind, word, status, number in plan_items.count_words(session, plan):
        counted = {"stale": "stale", "error": "errors", "skipped": None}.get(status, word)
        if counted is not None:
            numbers[kind][counted] = numbers[kind].get(counted, 0) + number
    for kind, number in plan_items.count_deferred(session, plan).items():
        numbers[kind]["deferred"] = number
    return {kind: counts_of(numbers[kind]) for kind in _KINDS}


def counts_of(numbers: Mapping[str, Any]) -> Counts:
    """The counts of stored numbers."""
    return Counts(**{word: int(number) for word, number in numbers.items() if word in _KNOWN})
