"""What a directory reader tells the server: pages of observations and how the read ended.

Connectors know this module and nothing else of the server.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

Json = Any
ImmutableId = str


class Kind(StrEnum):
    """What an observed object becomes."""

    USER = "User"
    GROUP = "Group"


class Evidence(StrEnum):
    """What is known of an object's presence in the directory."""

    PRESENT = "present"
    """Read, and within the configured scope."""
    OUT_OF_SCOPE = "out_of_scope"
    """Read or looked up: it exists, but the configured scope does not cover it."""
    SOFT_DELETED = "soft_deleted"
    """Deleted, and may come back under the same immutable id (AD recycle bin, Graph deleted items)."""
    DELETED = "deleted"
    """Proven gone (AD tombstone, Graph 404 after ``@removed``)."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an observed group, by the immutable id of the member in the same directory."""

    immutable_id: ImmutableId
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One directory object as it was read.

    ``attributes`` is the mapped SCIM document without ``schemas``, ``id`` and ``meta``: ``userName``, ``name``,
    ``emails``, extension URNs as keys. An absent attribute says nothing, ``None`` says "has no value".
    ``manager`` and ``members`` are immutable ids of the same directory, never SCIM ids. ``members`` is the whole set;
    ``member_changes`` (immutable id to True = added, False = removed) is used by readers that learn only changes.
    ``enabled`` is None where the directory carries no such flag. ``problem`` says in words why the object cannot be
    imported (then ``attributes`` holds what is known, for display).
    """

    kind: Kind
    immutable_id: ImmutableId
    evidence: Evidence
    read_at: datetime
    attributes: Mapping[str, Json] = field(default_factory=dict)
    enabled: bool | None = None
    anchors: Mapping[str, str] = field(default_factory=dict)
    """Anchor kind ("ad_guid", "entra_id", "sid") to canonical value; equal values mean the same person."""
    manager: ImmutableId | None = None
    manager_known: bool = False
    """True when this read tells the manager (then None means "has none")."""
    members: Sequence[Member] | None = None
    member_changes: Mapping[ImmutableId, bool] = field(default_factory=dict)
    created_at: datetime | None = None
    location: str = ""
    """Where the object lies, for people: a DN, or empty."""
    problem: str = ""
    raw_hash: str = ""
    """Hash of the mapped content, to skip unchanged objects; empty where the reader offers none."""


class End(StrEnum):
    """How a read ended; only a complete one proves that what was not seen is absent."""

    COMPLETE = "complete"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class ReadEnd:
    """The closing word of a read.

    ``full`` tells whether everything in scope was enumerated (then absence counts) or only changes since the cursor.
    ``cursor`` is the opaque text to start the next incremental read from; None keeps the previous one.
    ``scope`` is a hash of base, filter and scope settings. ``reason`` says in words why the end is partial.
    """

    end: End
    full: bool
    cursor: str | None = None
    scope: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A batch of observations; the last page of a read, and only that, carries ``end``."""

    observations: Sequence[Observation]
    end: ReadEnd | None = None


class Outcome(StrEnum):
    """The result of one step of a connection test."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of a connection test in words for an administrator, with the remedy when it failed."""

    step: str
    outcome: Outcome
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A node an administrator may choose as scope: an organizational unit, a container or a group."""

    id: str
    name: str
    kind: str
    has_children: bool = False


class ReadFailed(Exception):
    """The directory could not be read; the text is for an administrator and holds no secret."""


class DirectoryReader(Protocol):
    """The port through which every directory is read; implementations only read and never know the store."""

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
        """Yield pages; the last carries a ReadEnd. Without a usable cursor, or with ``full``, everything is read.

        A failure in the middle ends the iteration with a page whose end is PARTIAL; a failure before the first
        object raises ReadFailed. Memory stays flat: a page is not kept after it was yielded.
        """
        ...

    def look_up(self, ids: Sequence[ImmutableId]) -> Mapping[ImmutableId, Observation]:
        """Read these objects now, one by one by immutable id; an id that cannot be read is left out (unreadable)."""
        ...

    def find(self, name: str) -> Sequence[Observation]:
        """Objects whose username, e-mail address or display name is this text; for "sync one person"."""
        ...

    def check(self) -> Sequence[Finding]:
        """Test the connection step by step, in words for an administrator; never raises."""
        ...

    def browse(self, parent: str | None) -> Sequence[Place]:
        """The organizational units, containers and groups below ``parent`` (None = the top)."""
        ...
