"""A store in miniature: what a reader's observations add up to, to compare with what the tenant really holds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.entra.reader import EntraReader
from scim_server.domain.observations import End, Evidence, Kind, Observation, ReadEnd, ReadFailed
from tests.directories.graph_emulator.tenant import Tenant, Thing

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass
class Mirror:
    """Users and groups by immutable id. A ``forgetful`` one drops memberships with their user, as a store may."""

    forgetful: bool = True
    cursor: str | None = None
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)

    def follow(self, reader: EntraReader, between: Callable[[], None] = lambda: None, *, full: bool = False) -> ReadEnd:
        """Apply one read; ``between`` happens after each page. The end, partial also when the read failed at once."""
        seen: set[str] = set()
        end = ReadEnd(End.PARTIAL, full=False)
        try:
            for page in reader.read(self.cursor, full=full):
                for observation in page.observations:
                    assert observation.immutable_id not in seen, "a read tells every object once"
                    seen.add(observation.immutable_id)
                    self.apply(observation)
                end = page.end or end
                between()
        except ReadFailed:
            return end
        if end.end is End.COMPLETE:
            self.cursor = end.cursor
            if end.full:
                missing = [known for known in [*self.users, *self.groups] if known not in seen | self.outside]
                for observation in reader.look_up(missing).values():
                    self.apply(observation)
        return end

    def apply(self, observation: Observation) -> None:
        holder = self.users if observation.kind is Kind.USER else self.groups
        if observation.evidence is Evidence.OUT_OF_SCOPE:
            self.outside.add(observation.immutable_id)
            return
        self.outside.discard(observation.immutable_id)
        if observation.evidence is not Evidence.PRESENT:
            self._drop(observation.immutable_id)
            return
        known = holder.setdefault(observation.immutable_id, {"members": set(), "manager": None})
        known.update(observation.attributes)
        if observation.kind is Kind.USER:
            known["enabled"] = observation.enabled
            if observation.manager_known:
                known["manager"] = observation.manager
        if observation.members is not None:
            known["members"] = {member.immutable_id for member in observation.members}
        for member, added in observation.member_changes.items():
            (known["members"].add if added else known["members"].discard)(member)

    def _drop(self, identifier: str) -> None:
        self.users.pop(identifier, None)
        self.groups.pop(identifier, None)
        if self.forgetful:
            for group in self.groups.values():
                group["members"].discard(identifier)

    def people(self) -> dict[str, tuple[Any, ...]]:
        inside = self.users.keys() - self.outside
        return {
            key: (
                user["userName"],
                user["displayName"],
                user.get("title"),
                (user.get(ENTERPRISE) or {}).get("department"),
                tuple(email["value"] for email in user.get("emails") or ()),
                user["enabled"],
                user["manager"] if user["manager"] in inside else None,
            )
            for key, user in self.users.items()
            if key in inside
        }

    def teams(self) -> dict[str, tuple[str, frozenset[str]]]:
        inside = {*self.users, *self.groups} - self.outside
        return {
            key: (group["displayName"], frozenset(group["members"] & inside))
            for key, group in self.groups.items()
            if key in inside
        }


def people_of(
    tenant: Tenant, within: frozenset[str] | None = None, *, guests: bool = False
) -> dict[str, tuple[Any, ...]]:
    """What a mirror should hold of the users ``within`` (None: all)."""
    wanted = {
        user.id: user
        for user in tenant.live("user")
        if (within is None or user.id in within) and (guests or user.properties["userType"] != "Guest")
    }
    return {key: _person(tenant, user, wanted) for key, user in wanted.items()}


def teams_of(
    tenant: Tenant, people: dict[str, tuple[Any, ...]], within: frozenset[str] | None = None
) -> dict[str, tuple[str, frozenset[str]]]:
    """What a mirror should hold of the groups ``within`` whose members are among ``people`` or these groups."""
    wanted = {group.id: group for group in tenant.live("group") if within is None or group.id in within}
    alive = {*people, *wanted}
    return {
        key: (
            group.properties["displayName"],
            frozenset(member.id for member in tenant.members_of(key) if member.id in alive),
        )
        for key, group in wanted.items()
    }


def _person(tenant: Tenant, user: Thing, wanted: dict[str, Thing]) -> tuple[Any, ...]:
    properties = user.properties
    manager = tenant.manager_of(user.id)
    addresses = properties.get("proxyAddresses") or ()
    mail = properties.get("mail") or next((a[5:] for a in addresses if a.startswith("SMTP:")), None)
    return (
        properties["userPrincipalName"],
        properties["displayName"],
        properties.get("jobTitle"),
        properties.get("department"),
        (*([mail] if mail else ()), *(a[5:] for a in addresses if a.startswith("smtp:"))),
        properties["accountEnabled"],
        manager.id if manager is not None and manager.id in wanted else None,
    )
