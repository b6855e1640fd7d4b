"""The contest for usernames, addresses and group names among all items of a plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_server.domain.allocate import Allocation, Claimant, ContestedNew, allocate, rank_of
from scim_server.domain.keys import Claim
from scim_server.domain.plan import components
from scim_server.reconciler.desired import Desired
from scim_server.reconciler.matching import Subject
from scim_server.reconciler.sources import PulledSource
from scim_server.store.engine import Session
from scim_server.store.identities.claims import Holder
from scim_server.store.identities.snapshots import holders_among

_WORDS = {"username": "userName", "email": "e-mail address", "group": "displayName"}


@dataclass(slots=True)
class Contest:
    """Compact claimants of a plan: of each changing object only what it holds and wants is kept in memory."""

    contested_new: ContestedNew = "best"
    claimants: dict[str, Claimant] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    newcomers: set[str] = field(default_factory=set)
    holders: dict[Claim, Holder] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    def enter(self, seq: int, subject: Subject, desired: Desired, source: PulledSource) -> None:
        """The item takes part, if it wants or gives up anything."""
        held, wanted = frozenset(desired.held), frozenset(want.claim for want in desired.wanted)
        if desired.resource_id is None or not desired.op.writes or held == wanted:
            return
        if desired.base_version is None:
            self.newcomers.add(desired.resource_id)
        self.numbers[desired.resource_id] = seq
        self.claimants[desired.resource_id] = Claimant(
            id=desired.resource_id,
            held=held,
            wanted=wanted,
            optional=frozenset(want.claim for want in desired.wanted if want.role == "secondary"),
            rank=rank_of(
                exists=desired.base_version is not None,
                strongly_linked=subject.loaded is not None,
                source_rank=source.stored.rank,
                source_id=source.id,
                immutable_id=subject.staged.immutable_id,
                created_at=subject.observation.created_at,
            ),
        )

    def learn_holders(self, session: Session, wanted: Iterable[Claim]) -> None:
        """Who holds these claims now is known."""
        self.holders |= holders_among(session, wanted)

    def decide(self) -> Allocation:
        """Who may change, over all that have entered."""
        allocation = allocate(list(self.claimants.values()), self._holder, contested_new=self.contested_new)
        self.refused = frozenset(allocation.refused)
        return allocation

    def _holder(self, claim: Claim) -> str | None:
        holder = self.holders.get(claim)
        return holder.id if holder else None

    def components(self, accepted: Iterable[str]) -> dict[int, int]:
        """Item number to component, for items between which a claim moves: they are applied together."""
        changers = (self.claimants[name] for name in accepted)
        groups = [[self.numbers[name] for name in group] for group in components(changers)]
        return {seq: min(group) for group in groups for seq in group}

    def conflict(self, taken: list[Any], witness: str) -> dict[str, Any]:
        """The record of one claim that an item misses; ``taken`` is [ns, key, role, raw, attribute]."""
        ns, key, role, raw, attribute = taken
        holder = self.holders.get(Claim(ns, key))
        known = holder if holder is not None and holder.id == witness else None
        return {
            "ns": ns,
            "key": key,
            "raw": raw,
            "role": role,
            "attribute": attribute,
            "kind": self._kind(ns, role, known, witness),
            "witness": witness,
            "witness_pk": known.pk if known else None,
            "witness_object": self.claimants[witness].rank[-1] if witness in self.newcomers else None,
            "peer_waits": witness in self.newcomers and witness in self.refused,
            "display": known.display if known else "",
        }

    def _kind(self, ns: str, role: str, holder: Holder | None, witness: str) -> str:
        """The kind of duplicate, in the words of the register."""
        if role == "login" or (holder is not None and holder.role == "login"):
            return "cross_login"
        if witness in self.newcomers:
            return "contested"
        if holder is not None and not holder.active:
            return "held_by_inactive"
        if role == "secondary":
            return "secondary_email"
        return {"username": "username", "email": "email", "group": "group_name"}[ns]


def reason_of(conflict: Mapping[str, Any]) -> str:
    """The conflict in a sentence."""
    what = f'{_WORDS.get(conflict["ns"], conflict["ns"])} "{conflict["raw"]}"'
    who = f'"{conflict["display"]}"' if conflict["display"] else "another object"
    if conflict["peer_waits"]:
        return f"The {what} is wanted by another new object of this plan; both wait."
    if conflict["kind"] == "contested":
        return f"The {what} goes to another new object of this plan."
    if conflict["kind"] == "held_by_inactive":
        return f"The {what} is held by {who}, who is inactive."
    return f"The {what} is held by {who}."
