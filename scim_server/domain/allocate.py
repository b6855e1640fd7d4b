"""Allocation: which of the changing users get the values they want, decided on end states and never row by row.

A swap, a cycle, a chain into a free value and a reuse of a deleted user's value are plain changes here: nobody loses a
value whose holder moves on in the same plan. Whoever loses is withheld whole, keeps what it holds, and has a witness:
the object that holds the value after the plan.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from scim_server.domain.keys import Claim

Holder = Callable[[Claim], str | None]
ContestedNew = Literal["best", "none"]
Refusals = dict[str, dict[Claim, str]]
_NOTHING: frozenset[Claim] = frozenset()
_NOBODY: frozenset[str] = frozenset()
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claimant:
    """A changing user (or group): the claims it holds now and those it wants; a deleted one wants none.

    ``optional`` names wanted claims (secondary addresses) that are left out, alone, when they are taken. ``rank`` is
    total, see ``rank_of``. A claimant that holds nothing is new.
    """

    id: str
    held: frozenset[Claim]
    wanted: frozenset[Claim]
    rank: tuple[Any, ...]
    optional: frozenset[Claim] = _NOTHING

    @property
    def required(self) -> frozenset[Claim]:
        """What it needs to be accepted: an optional claim that it already holds stays its own."""
        return self.wanted - (self.optional - self.held) if self.optional else self.wanted


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who may change. ``refused`` and ``left_out`` map an id to its missed claims with the witness of each."""

    accepted: frozenset[str]
    refused: Refusals = field(default_factory=dict)
    left_out: Refusals = field(default_factory=dict)


def rank_of(
    *,
    exists: bool,
    strongly_linked: bool,
    source_rank: int,
    source_id: int,
    immutable_id: str,
    created_at: datetime | None,
) -> tuple[Any, ...]:
    """The rank of a claimant, smallest first: independent of the order of arrival, and total."""
    return (not exists, not strongly_linked, source_rank, created_at or _LAST, source_id, immutable_id)


def allocate(
    changers: Sequence[Claimant], fixed: Mapping[Claim, str] | Holder, *, contested_new: ContestedNew = "best"
) -> Allocation:
    """Decide for all changers at once; ``fixed`` tells who holds a claim now (holders among the changers are ignored).

    Ids are distinct. With ``contested_new="none"`` new objects that want one value all wait, each the other's witness.
    """
    look_up: Holder = fixed.get if isinstance(fixed, Mapping) else fixed
    if len(changers) == 1 and not changers[0].optional:
        return _allocate_one(changers[0], look_up)
    ids = {changer.id for changer in changers}

    def bystander(claim: Claim) -> str | None:
        holder = look_up(claim)
        return None if holder in ids else holder

    accepted: set[str] = set()
    for cluster in _clusters(changers):
        accepted |= _allocate_cluster(cluster, bystander, contested_new)
    return _outcome(changers, accepted, bystander)


def _allocate_one(changer: Claimant, look_up: Holder) -> Allocation:
    missed: dict[Claim, str] = {}
    for claim in changer.wanted - changer.held:
        holder = look_up(claim)
        if holder is not None and holder != changer.id:
            missed[claim] = holder
    return Allocation(_NOBODY, {changer.id: missed}) if missed else Allocation(frozenset((changer.id,)))


def _clusters(changers: Sequence[Claimant]) -> Iterator[list[Claimant]]:
    """Changers that share a claim, held or required, directly or through others; clusters cannot affect each other."""
    leader = list(range(len(changers)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = index = leader[leader[index]]
        return index

    first: dict[Claim, int] = {}
    for index, changer in enumerate(changers):
        for claim in changer.held | changer.required:
            other = first.setdefault(claim, index)
            if other != index:
                leader[find(index)] = find(other)
    clusters: defaultdict[int, list[Claimant]] = defaultdict(list)
    for index, changer in enumerate(changers):
        clusters[find(index)].append(changer)
    yield from clusters.values()


def _allocate_cluster(cluster: list[Claimant], bystander: Holder, contested_new: ContestedNew) -> set[str]:
    """Settle again and again: what one round frees, the next may give away."""
    hopeless = {
        changer.id
        for changer in cluster
        if any(bystander(claim) is not None for claim in changer.required - changer.held)
    }
    if len(cluster) == 1:
        return {changer.id for changer in cluster} - hopeless
    remaining = sorted(cluster, key=lambda changer: changer.rank)
    accepted: set[str] = set()
    given: set[Claim] = set()
    while remaining:
        blocked = {
            changer.id for changer in remaining if changer.id in hopeless or not given.isdisjoint(changer.required)
        }
        settled = _Settlement(remaining, blocked, contested_new).settle()
        if not settled:
            break
        accepted |= settled
        for changer in remaining:
            if changer.id in settled:
                given |= changer.required
        remaining = [changer for changer in remaining if changer.id not in settled]
    return accepted


class _Settlement:
    """One round: the candidates, best rank first, that can take their final claims together."""

    def __init__(self, candidates: Sequence[Claimant], blocked: set[str], contested_new: ContestedNew) -> None:
        self._candidates = candidates
        self._blocked = blocked
        self._contested_new = contested_new
        self._wanting: defaultdict[Claim, list[Claimant]] = defaultdict(list)
        for candidate in candidates:
            for claim in candidate.required:
                self._wanting[claim].append(candidate)
        self._standing: set[str] = set()

    def settle(self) -> set[str]:
        """A winner that falls to the consequences of its own victory may not stand in the next attempt."""
        excluded: set[str] = set()
        while (fallen := self._attempt(excluded)) is not None:
            excluded.add(fallen)
        return self._standing

    def _attempt(self, excluded: set[str]) -> str | None:
        """Let the best-ranked win each contested claim; returns the worst-ranked winner that fell, if any did."""
        self._standing = {candidate.id for candidate in self._candidates}
        self._drop(
            candidate for candidate in self._candidates if candidate.id in self._blocked or candidate.id in excluded
        )
        won: set[str] = set()
        for claim, rivals in self._contests():
            if self._contested_new == "none" and not any(rival.held for rival in rivals):
                self._drop(self._contested_newcomers())
                continue
            winner = next((rival for rival in rivals if claim in rival.held), rivals[0])
            won.add(winner.id)
            self._drop(rival for rival in rivals if rival is not winner)
            if not won <= self._standing:
                return [candidate.id for candidate in self._candidates if candidate.id in won - self._standing][-1]
        return None

    def _contests(self) -> Iterator[tuple[Claim, list[Claimant]]]:
        """The claims that two or more standing candidates want, in the order of their best-ranked claimants."""
        for candidate in self._candidates:
            if candidate.id in self._standing:
                for claim in sorted(claim for claim in candidate.required if len(self._wanting[claim]) > 1):
                    rivals = [rival for rival in self._wanting[claim] if rival.id in self._standing]
                    if len(rivals) > 1 and candidate.id in self._standing:
                        yield claim, rivals

    def _contested_newcomers(self) -> list[Claimant]:
        found: list[Claimant] = []
        for wanting in self._wanting.values():
            rivals = [rival for rival in wanting if rival.id in self._standing]
            if len(rivals) > 1 and not any(rival.held for rival in rivals):
                found += rivals
        return found

    def _drop(self, losers: Iterable[Claimant]) -> None:
        """Take the losers out, and with them everybody who wants what they therefore keep."""
        pending = list(losers)
        while pending:
            loser = pending.pop()
            if loser.id in self._standing:
                self._standing.remove(loser.id)
                for claim in loser.held:
                    pending += [rival for rival in self._wanting.get(claim, ()) if rival.id in self._standing]


def _outcome(changers: Sequence[Claimant], accepted: set[str], bystander: Holder) -> Allocation:
    losers = [changer for changer in changers if changer.id not in accepted]
    hopeful = [changer for changer in changers if changer.id in accepted and changer.optional - changer.held]
    if not losers and not hopeful:
        return Allocation(frozenset(accepted))
    final: dict[Claim, str] = {}
    for changer in changers:
        final.update(dict.fromkeys(changer.required if changer.id in accepted else changer.held, changer.id))
    _reserve(losers, final, bystander)
    left_out = {
        changer.id: missed
        for changer in sorted(hopeful, key=lambda changer: changer.rank)
        if (missed := _grant_optional(changer, final, bystander))
    }
    peers = _peers(losers)
    refused = {loser.id: _witnesses(loser, final, bystander) or peers[loser.id] for loser in losers}
    return Allocation(frozenset(accepted), refused, left_out)


def _reserve(losers: Sequence[Claimant], final: dict[Claim, str], bystander: Holder) -> None:
    """What new objects wait for goes to no third one as an optional claim: a second run would differ."""
    waiting = [loser for loser in losers if not _witnesses(loser, final, bystander)]
    for loser in sorted(waiting, key=lambda loser: loser.rank):
        for claim in loser.required:
            final.setdefault(claim, loser.id)


def _grant_optional(changer: Claimant, final: dict[Claim, str], bystander: Holder) -> dict[Claim, str]:
    missed = {}
    for claim in sorted(changer.wanted - changer.required):
        witness = final.get(claim) or bystander(claim)
        if witness is None:
            final[claim] = changer.id
        else:
            missed[claim] = witness
    return missed


def _witnesses(loser: Claimant, final: Mapping[Claim, str], bystander: Holder) -> dict[Claim, str]:
    """Who holds, after the plan, what the loser misses."""
    found = {}
    for claim in sorted(loser.required - loser.held):
        witness = final.get(claim) or bystander(claim)
        if witness is not None and witness != loser.id:
            found[claim] = witness
    return found


def _peers(losers: Sequence[Claimant]) -> Refusals:
    """For each loser, by claim, the best-ranked other loser that wants the same: the witness where all must wait."""
    wanting: defaultdict[Claim, list[str]] = defaultdict(list)
    for loser in sorted(losers, key=lambda loser: loser.rank):
        for claim in loser.required - loser.held:
            wanting[claim].append(loser.id)
    found: Refusals = {loser.id: {} for loser in losers}
    for claim, ids in wanting.items():
        for id_ in ids if len(ids) > 1 else ():
            found[id_][claim] = next(other for other in ids if other != id_)
    return found
