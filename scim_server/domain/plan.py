"""The plan: what an item may do, how far it is, what belongs together, and the fingerprints of the whole."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum

from scim_server.domain.allocate import Claimant
from scim_server.domain.keys import NORM_VERSION


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


def components(changers: Iterable[Claimant]) -> list[list[str]]:
    """The ids of changers between whom a claim moves, directly or through a chain of others; each of two or more.

    A component is applied whole or not at all and is selected whole in the console. All others stand alone.
    """
    standing = list(changers)
    dropper = {claim: changer.id for changer in standing for claim in changer.held - changer.wanted}
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = name = leader[leader[name]]
        return name

    for changer in standing:
        for claim in changer.wanted - changer.held:
            if claim in dropper:
                leader[find(changer.id)] = find(dropper[claim])
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in list(leader):
        groups[find(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


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
