"""A directory in memory, for tests and demonstrations: a script says what it holds and how it fails."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from scim_server.domain.observations import (
    End,
    Evidence,
    Finding,
    ImmutableId,
    Kind,
    Member,
    Observation,
    Outcome,
    Page,
    Place,
    ReadEnd,
    ReadFailed,
)

_DOWN = "The directory does not answer. Start it, or correct its address."


@dataclass(frozen=True, slots=True)
class ScriptedObject:
    """One object as the directory holds it; ``changed`` is the number of its last change."""

    kind: Kind
    immutable_id: ImmutableId
    attributes: Mapping[str, Any]
    enabled: bool | None = True
    anchors: Mapping[str, str] = field(default_factory=dict)
    manager: ImmutableId | None = None
    members: frozenset[ImmutableId] = frozenset()
    created_at: datetime | None = None
    evidence: Evidence = Evidence.PRESENT
    problem: str = ""
    changed: int = 0


@dataclass(slots=True)
class Faults:
    """How the directory misbehaves.

    ``pages_before_failure`` pages arrive, then the read breaks off; ``unreadable`` objects cannot be looked up;
    ``empty`` answers hold nothing and claim to be complete; ``replay`` tells every page twice; ``shuffle`` is the seed
    of another order; ``expired`` cursors are refused.
    """

    unreachable: bool = False
    pages_before_failure: int | None = None
    unreadable: frozenset[ImmutableId] = frozenset()
    empty: bool = False
    replay: bool = False
    shuffle: int | None = None
    expired: bool = False


class ScriptedDirectory:
    """Users and groups that a script adds, changes and removes; every change counts one further."""

    def __init__(
        self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), page_size: int = 100, scope: str = "all"
    ) -> None:
        self.now = now
        self.page_size = page_size
        self.scope = scope
        self.faults = Faults()
        self.objects: dict[ImmutableId, ScriptedObject] = {}
        self._changes = 0

    def reader(self) -> "ScriptedReader":
        """A reader of this directory."""
        return ScriptedReader(self)

    def put(self, kind: Kind, immutable_id: ImmutableId, attributes: Mapping[str, Any], **values: Any) -> None:
        """The directory holds the object."""
        self._store(ScriptedObject(kind, immutable_id, dict(attributes), **values))

    def user(self, immutable_id: ImmutableId, user_name: str, email: str | None = None, **values: Any) -> None:
        """The directory holds a user with that name and address; further attributes go into ``attributes``."""
        attributes: dict[str, Any] = {"userName": user_name, "displayName": user_name.partition("@")[0]}
        if email is not None:
            attributes["emails"] = [{"value": email, "type": "work", "primary": True}]
        attributes |= values.pop("attributes", {})
        self.put(Kind.USER, immutable_id, attributes, **values)

    def group(self, immutable_id: ImmutableId, name: str, members: Iterable[ImmutableId] = ()) -> None:
        """The directory holds a group with these members."""
        self.put(Kind.GROUP, immutable_id, {"displayName": name}, enabled=None, members=frozenset(members))

    def change(self, immutable_id: ImmutableId, **values: Any) -> None:
        """The object has these values; ``attributes`` are laid over those it has."""
        held = self.objects[immutable_id]
        attributes = {**held.attributes, **values.pop("attributes", {})}
        self._store(replace(held, attributes=attributes, **values))

    def rename(self, immutable_id: ImmutableId, user_name: str | None = None, email: str | None = None) -> None:
        """The user has another name, another address, or both."""
        told: dict[str, Any] = {"userName": user_name} if user_name is not None else {}
        if email is not None:
            told["emails"] = [{"value": email, "type": "work", "primary": True}]
        self.change(immutable_id, attributes=told)

    def delete(self, immutable_id: ImmutableId, *, soft: bool = False) -> None:
        """The object is deleted; a soft deletion can be taken back."""
        self.change(immutable_id, evidence=Evidence.SOFT_DELETED if soft else Evidence.DELETED)

    def move_out(self, immutable_id: ImmutableId) -> None:
        """The object is outside the scope."""
        self.change(immutable_id, evidence=Evidence.OUT_OF_SCOPE)

    def bring_back(self, immutable_id: ImmutableId) -> None:
        """The object is there and in scope, with what it had before."""
        self.change(immutable_id, evidence=Evidence.PRESENT)

    def _store(self, item: ScriptedObject) -> None:
        self._changes += 1
        self.objects[item.immutable_id] = replace(item, changed=self._changes)

    @property
    def cursor(self) -> str:
        """Where the next incremental read starts."""
        return f"{self.scope}:{self._changes}"


class ScriptedReader:
    """A DirectoryReader over a ScriptedDirectory."""

    def __init__(self, directory: ScriptedDirectory) -> None:
        self._directory = directory

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
        """Yield pages; see DirectoryReader.read."""
        directory, faults = self._directory, self._directory.faults
        self._reach()
        since = None if full else self._since(cursor)
        cursor_next = directory.cursor
        told = [] if faults.empty else self._told(since)
        for number, start in enumerate(range(0, len(told), directory.page_size)):
            if faults.pages_before_failure is not None and number >= faults.pages_before_failure:
                if number == 0:
                    raise ReadFailed(_DOWN)
                yield Page((), ReadEnd(End.PARTIAL, since is None, scope=directory.scope, reason=_DOWN))
                return
            page = [self._observe(each) for each in told[start : start + directory.page_size]]
            for _ in range(2 if faults.replay else 1):
                yield Page(page)
        yield Page((), ReadEnd(End.COMPLETE, since is None, cursor=cursor_next, scope=directory.scope))

    def _since(self, cursor: str | None) -> int | None:
        scope, _, number = (cursor or "").rpartition(":")
        usable = scope == self._directory.scope and number.isdigit() and not self._directory.faults.expired
        return int(number) if usable else None

    def _told(self, since: int | None) -> list[ScriptedObject]:
        objects = list(self._directory.objects.values())
        if since is None:
            told = [each for each in objects if each.evidence is Evidence.PRESENT]
        else:
            told = [each for each in objects if each.changed > since]
        told.sort(key=lambda each: each.kind is Kind.GROUP)
        if self._directory.faults.shuffle is not None:
            random.Random(self._directory.faults.shuffle).shuffle(told)  # noqa: S311 - an order, no secret
        return told

    def look_up(self, ids: Sequence[ImmutableId]) -> Mapping[ImmutableId, Observation]:
        """Read these objects now; see DirectoryReader.look_up."""
        self._reach()
        found = {}
        for immutable_id in ids:
            held = self._directory.objects.get(immutable_id)
            if held is not None and immutable_id not in self._directory.faults.unreadable:
                found[immutable_id] = self._observe(held)
        return found

    def find(self, name: str) -> Sequence[Observation]:
        """Objects whose username, e-mail address or display name is this text."""
        self._reach()
        wanted = name.strip().casefold()
        return [self._observe(each) for each in self._directory.objects.values() if wanted and wanted in _names(each)]

    def check(self) -> Sequence[Finding]:
        """Whether the directory answers."""
        if self._directory.faults.unreachable:
            return [Finding("Connection", Outcome.FAILED, "The directory does not answer.", "Start the directory.")]
        return [Finding("Connection", Outcome.OK, f"The directory holds {len(self._directory.objects)} objects.")]

    def browse(self, parent: str | None) -> Sequence[Place]:
        """All groups; nothing lies below one."""
        self._reach()
        groups = [each for each in self._directory.objects.values() if each.kind is Kind.GROUP and parent is None]
        return [Place(each.immutable_id, str(each.attributes["displayName"]), "group") for each in groups]

    def _reach(self) -> None:
        if self._directory.faults.unreachable:
            raise ReadFailed(_DOWN)

    def _observe(self, held: ScriptedObject) -> Observation:
        is_user = held.kind is Kind.USER
        is_there = held.evidence is Evidence.PRESENT
        return Observation(
            kind=held.kind,
            immutable_id=held.immutable_id,
            evidence=held.evidence,
            read_at=self._directory.now(),
            attributes=held.attributes if is_there else {},
            enabled=held.enabled,
            anchors=held.anchors,
            manager=held.manager,
            manager_known=is_user and is_there,
            members=None if is_user or not is_there else [Member(each) for each in sorted(held.members)],
            created_at=held.created_at,
            problem=held.problem,
        )


def _names(held: ScriptedObject) -> set[str]:
    texts = [held.attributes.get("userName"), held.attributes.get("displayName")]
    texts += [each.get("value") for each in held.attributes.get("emails") or ()]
    return {text.casefold() for text in texts if isinstance(text, str)}
