"""The plan: what will happen to whom, in which order, and the fingerprints that bind a confirmation to it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from scim_server.domain.keys import EMAIL, NORM_VERSION, USERNAME, Claim, Wanted
from scim_server.domain.observations import Kind


class Operation(StrEnum):
    """What an item does, or why it does nothing."""

    ADD = "add"
    UPDATE = "update"
    LINK = "link"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    DELETE = "delete"
    RESTORE = "restore"
    UNLINK = "unlink"
    DUPLICATE = "duplicate"
    DISMISSED = "dismissed"
    BLOCKED_BY = "blocked_by"
    UNCHANGED = "unchanged"
    OUT_OF_SCOPE = "out_of_scope"
    ERROR = "error"

    @property
    def writes(self) -> bool:
        """Whether applying it changes a user or a group."""
        return self not in _SILENT


_SILENT = frozenset(
    (
        Operation.DUPLICATE,
        Operation.DISMISSED,
        Operation.BLOCKED_BY,
        Operation.UNCHANGED,
        Operation.OUT_OF_SCOPE,
        Operation.ERROR,
    )
)


class ItemStatus(StrEnum):
    """How far an item is; skipped ones were not selected."""

    PENDING = "pending"
    DONE = "done"
    STALE = "stale"
    ERROR = "error"
    SKIPPED = "skipped"


class PlanStatus(StrEnum):
    """The life of a plan."""

    READING = "reading"
    COMPUTING = "computing"
    READY = "ready"
    BLOCKED = "blocked"
    CONFIRMED = "confirmed"
    APPLYING = "applying"
    APPLIED = "applied"
    APPLIED_WITH_DRIFT = "applied_with_drift"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One step of a plan. ``before`` and ``after`` are stored documents, None where there is none.

    ``reasons`` are sentences for people and part of the content; ``trace`` tells the way to them (read, scope,
    correlation, allocation, difference) and is not. ``deferred`` names attributes in which a push still outweighs the
    pull. ``last_link`` tells that the user loses its last link of any directory. ``seq`` and ``component`` are given by
    ``arrange``.
    """

    op: Operation
    source_id: int
    immutable_id: str
    kind: Kind = Kind.USER
    user_id: str | None = None
    base_version: int | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    claims_drop: tuple[Claim, ...] = ()
    claims_take: tuple[Wanted, ...] = ()
    reasons: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()
    last_link: bool = False
    trace: Mapping[str, Any] = field(default_factory=dict)
    status: ItemStatus = ItemStatus.PENDING
    component: int = 0
    seq: int = 0

    @property
    def identity(self) -> tuple[str, int, str, str]:
        """The same for the same object in every preview; orders the items of a plan. Users come before groups."""
        return ("0" if self.kind is Kind.USER else "1", self.source_id, self.immutable_id, self.user_id or "")

    @property
    def is_removal(self) -> bool:
        """Whether a user goes: the number that the circuit breakers watch."""
        return self.op in (Operation.DELETE, Operation.DEACTIVATE) or (self.op is Operation.UNLINK and self.last_link)

    @property
    def renames(self) -> bool:
        """Whether an existing user gets another username or another main e-mail address."""
        taken = {want.claim.ns for want in self.claims_take if want.role == "primary"}
        return bool(taken & {claim.ns for claim in self.claims_drop} & {USERNAME, EMAIL})


@dataclass(frozen=True, slots=True)
class Plan:
    """Arranged items with the fingerprints of what they contain and of what they were computed from."""

    items: tuple[PlanItem, ...]
    content_fingerprint: str
    plan_fingerprint: str


def make_plan(items: Iterable[PlanItem], *, config_hash: str, norm_version: int = NORM_VERSION) -> Plan:
    """The plan of these items, whatever order they come in."""
    arranged = arrange(items)
    content = content_fingerprint(arranged)
    return Plan(arranged, content, plan_fingerprint(arranged, config_hash=config_hash, norm_version=norm_version))


def arrange(items: Iterable[PlanItem]) -> tuple[PlanItem, ...]:
    """The items numbered in the order of application: components together, by their first item, users before groups."""
    ordered = sorted(items, key=lambda item: (item.identity, item.op))
    arranged: list[PlanItem] = []
    for number, component in enumerate(_components(ordered), start=1):
        for item in component:
            arranged.append(replace(item, component=number, seq=len(arranged) + 1))
    return tuple(arranged)


def content_fingerprint(items: Sequence[PlanItem]) -> str:
    """SHA-256 over what the items do, to whom and why: the same for the same input in any order at any time."""
    return _digest(_canonical_json([item.op, item.identity, _timeless(item.after), item.reasons]) for item in items)


def plan_fingerprint(items: Sequence[PlanItem], *, config_hash: str, norm_version: int = NORM_VERSION) -> str:
    """What a confirmation must name: the content, the versions it was computed from, settings and normalisation."""
    versions = _digest(_canonical_json([item.identity, item.base_version]) for item in items)
    return _digest([_canonical_json([content_fingerprint(items), versions, config_hash, norm_version])])


class Fingerprints:
    """Both fingerprints of a plan whose items pass by one after the other, in any order; 64 bytes are kept of each."""

    def __init__(self) -> None:
        self._contents: list[bytes] = []
        self._versions: list[bytes] = []

    def add(self, identity: str, content: str, base_version: int | None) -> None:
        """Count in an item; ``content`` is canonical text of what it does and why."""
        self._contents.append(_hash(f"{identity}\n{content}"))
        self._versions.append(_hash(f"{identity}\n{base_version}"))

    def content(self) -> str:
        """SHA-256 over what the items do, to whom and why."""
        return _combined(self._contents)

    def plan(self, *, config_hash: str, norm_version: int = NORM_VERSION) -> str:
        """What a confirmation must name."""
        parts = (self.content(), _combined(self._versions), config_hash, str(norm_version))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _combined(digests: list[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def _digest(lines: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for line in sorted(lines):
        digest.update(line)
    return digest.hexdigest()


def _components(items: Sequence[PlanItem]) -> list[list[PlanItem]]:
    """Items connected by moved claims: one drops what another takes, directly or through a chain of others.

    A component is applied whole or not at all and is selected whole in the console.
    """
    leader = list(range(len(items)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = index = leader[leader[index]]
        return index

    dropper = {claim: index for index, item in enumerate(items) for claim in item.claims_drop}
    takers = ((index, want.claim) for index, item in enumerate(items) for want in item.claims_take)
    owners = {item.user_id: index for index, item in enumerate(items) if item.user_id and item.op.writes}
    for index, claim in takers:
        if claim in dropper:
            leader[find(index)] = find(dropper[claim])
    for index, item in enumerate(items):
        if item.user_id in owners and item.op.writes:
            leader[find(index)] = find(owners[item.user_id])  # two objects of one user are one decision
    groups: defaultdict[int, list[PlanItem]] = defaultdict(list)
    for index, item in enumerate(items):
        groups[find(index)].append(item)
    return list(groups.values())


def _timeless(document: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Without ``meta``, which carries the clock."""
    return {name: value for name, value in document.items() if name != "meta"} if document else document


def _canonical_json(value: Any) -> bytes:
    """One line: sorted keys, no spaces, so that the text depends on the content alone (after RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
