"""The tenant behind the emulator: users, groups, links and everything that ever happened to them.

Every change has a number, so that delta queries can tell what happened after any of them. The mutations are the "day
two" of a test: what administrators do between two reads.
"""

import base64
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Literal

State = Literal["live", "soft", "gone"]
Kind = Literal["user", "group", "device"]

LISTS = frozenset(("businessPhones", "proxyAddresses", "otherMails", "groupTypes"))


@dataclass(slots=True)
class Thing:
    """A directory object with its past: each version of its properties and each state, with the change's number."""

    id: str
    kind: Kind
    versions: list[tuple[int, dict[str, Any]]]
    states: list[tuple[int, State]]

    @property
    def properties(self) -> dict[str, Any]:
        return self.versions[-1][1]

    @property
    def state(self) -> State:
        return self.states[-1][1]

    @property
    def type(self) -> str:
        return f"#microsoft.graph.{self.kind}"


@dataclass(frozen=True, slots=True)
class LinkEvent:
    """A member or manager came (``added``) or went."""

    number: int
    source: str
    target: str
    added: bool


@dataclass
class Tenant:
    """A directory that can be changed while it is read."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    domain: str = "example.com"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    new_id: Callable[[], str] = lambda: str(uuid.uuid4())
    tells_links_of_restored: bool = True
    tells_links_of_purged: bool = True

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.number = 0
        self.things: dict[str, Thing] = {}
        self.members: dict[str, dict[str, None]] = {}
        self.managers: dict[str, str] = {}
        self.member_events: list[LinkEvent] = []
        self.manager_events: list[LinkEvent] = []

    def add_user(self, name: str = "", **properties: Any) -> str:
        """A new member of the organization, named like its username unless told otherwise."""
        name = name or f"user{len(self.things)}"
        return self._add(
            "user",
            {
                "userPrincipalName": f"{name}@{self.domain}",
                "displayName": name.title(),
                "accountEnabled": True,
                "userType": "Member",
                "createdDateTime": self.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
                **properties,
            },
        )

    def add_synced_user(self, name: str, guid: uuid.UUID, **properties: Any) -> str:
        """A user whom Entra Connect brought from Active Directory, anchored at ``guid``."""
        anchor = base64.b64encode(guid.bytes_le).decode()
        return self.add_user(name, onPremisesSyncEnabled=True, onPremisesImmutableId=anchor, **properties)

    def add_group(self, name: str = "", *, unified: bool = False, **properties: Any) -> str:
        """A new group: security, or Microsoft 365 with ``unified``."""
        types = ["Unified"] if unified else []
        name = name or f"Group {len(self.things)}"
        made = {"displayName": name, "groupTypes": types, "securityEnabled": not unified, **properties}
        return self._add("group", made)

    def add_device(self) -> str:
        return self._add("device", {"displayName": "Laptop"})

    def change(self, identifier: str, **properties: Any) -> None:
        """Properties get new values; None clears one."""
        thing = self.things[identifier]
        thing.versions.append((self._next(), {**thing.properties, **properties}))

    def delete(self, identifier: str) -> None:
        """Users and Microsoft 365 groups go to the recycle bin, security groups are gone at once."""
        thing = self.things[identifier]
        restorable = thing.kind == "user" or "Unified" in thing.properties.get("groupTypes", ())
        thing.states.append((self._next(), "soft" if restorable else "gone"))
        if not restorable:
            self._drop_links(identifier)

    def restore(self, identifier: str) -> None:
        """Back from the recycle bin with id and memberships."""
        self.things[identifier].states.append((self._next(), "live"))
        if self.tells_links_of_restored:
            for group, members in self.members.items():
                if identifier in members:
                    self.member_events.append(LinkEvent(self._next(), group, identifier, True))

    def purge(self, identifier: str) -> None:
        """Gone for good, out of the recycle bin or directly."""
        self.things[identifier].states.append((self._next(), "gone"))
        self._drop_links(identifier)

    def add_member(self, group: str, member: str) -> None:
        if member not in self.members.setdefault(group, {}):
            self.members[group][member] = None
            self.member_events.append(LinkEvent(self._next(), group, member, True))

    def remove_member(self, group: str, member: str) -> None:
        if self.members.get(group, {}).pop(member, "absent") is None:
            self.member_events.append(LinkEvent(self._next(), group, member, False))

    def set_manager(self, user: str, manager: str | None) -> None:
        before = self.managers.pop(user, None)
        if before is not None:
            self.manager_events.append(LinkEvent(self._next(), user, before, False))
        if manager is not None:
            self.managers[user] = manager
            self.manager_events.append(LinkEvent(self._next(), user, manager, True))

    def pass_time(self) -> int:
        """Nothing changes, but a later change has a higher number than the one returned."""
        return self._next()

    def live(self, kind: Kind) -> list[Thing]:
        return [thing for thing in self.things.values() if thing.kind == kind and thing.state == "live"]

    def find(self, identifier: str, kind: Kind, state: State = "live") -> Thing | None:
        thing = self.things.get(identifier.lower())
        if thing is None and kind == "user":
            wanted = identifier.lower()
            thing = next(
                (user for user in self.live("user") if user.properties["userPrincipalName"].lower() == wanted), None
            )
        return thing if thing is not None and thing.kind == kind and thing.state == state else None

    def members_of(self, group: str) -> list[Thing]:
        """The direct members; soft-deleted ones are not listed."""
        return [self.things[member] for member in self.members.get(group, {}) if self.things[member].state == "live"]

    def transitive_members_of(self, group: str) -> list[Thing]:
        """The flat closure; loops end."""
        found: dict[str, Thing] = {}
        waiting = [group]
        while waiting:
            for member in self.members_of(waiting.pop()):
                if member.id not in found:
                    found[member.id] = member
                    waiting += [member.id] if member.kind == "group" else []
        return list(found.values())

    def groups_of(self, member: str) -> list[Thing]:
        holders = (self.things[group] for group, members in self.members.items() if member in members)
        return [group for group in holders if group.state == "live"]

    def reports_of(self, manager: str) -> list[Thing]:
        reports = (self.things[user] for user, held in self.managers.items() if held == manager)
        return [user for user in reports if user.state == "live"]

    def manager_of(self, user: str) -> Thing | None:
        manager = self.things.get(self.managers.get(user, ""))
        return manager if manager is not None and manager.state == "live" else None

    def _add(self, kind: Kind, properties: dict[str, Any]) -> str:
        identifier = self.new_id()
        number = self._next()
        self.things[identifier] = Thing(identifier, kind, [(number, properties)], [(number, "live")])
        return identifier

    def _drop_links(self, gone: str) -> None:
        for group in [group for group, members in self.members.items() if gone in members]:
            del self.members[group][gone]
            if self.tells_links_of_purged:
                self.member_events.append(LinkEvent(self._next(), group, gone, False))
        for user in [user for user, manager in self.managers.items() if manager == gone]:
            self.set_manager(user, None)
        self.members.pop(gone, None)
        self.managers.pop(gone, None)

    def _next(self) -> int:
        self.number = next(self._numbers)
        return self.number


def spelled(thing: Thing, select: list[str] | None, properties: dict[str, Any] | None = None) -> dict[str, Any]:
    """The object as single reads and lists spell it: every selected property, null where it was never set."""
    values = thing.properties if properties is None else properties
    names = select or ["id", "displayName", "userPrincipalName", "mail"]
    return {"id": thing.id, **{name: values.get(name, [] if name in LISTS else None) for name in names if name != "id"}}


def told(thing: Thing, select: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """The object as delta spells it: without what was never set, null for what was cleared."""
    return {**{name: properties[name] for name in select if name in properties}, "id": thing.id}


def typed(things: list[Thing]) -> Iterator[dict[str, Any]]:
    for thing in things:
        yield {"@odata.type": thing.type, "id": thing.id}
