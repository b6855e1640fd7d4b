"""Single objects and the links around them, read now.

What a delta round leaves open (an object both removed and alive, links told twice) is settled here, by asking.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from connectors.entra.errors import GraphRefused
from connectors.entra.graph import PAGE_SIZE, Graph
from connectors.entra.mapping import GROUP_PROPERTIES, UserMapping, is_guest, kind_of, observe_group
from connectors.entra.scope import Scope
from scim_server.domain.observations import Evidence, ImmutableId, Kind, Member, Observation

READ_USERS: Final = "User.Read.All"
READ_GROUPS: Final = "GroupMember.Read.All"
_DELETED_GROUPS: Final = "Group.Read.All"


class Objects:
    """Reads objects by id and says whether they are in scope; ``clock`` tells when a request was sent."""

    def __init__(self, graph: Graph, mapping: UserMapping, clock: Callable[[], datetime], *, guests: bool) -> None:
        self._graph = graph
        self._mapping = mapping
        self._clock = clock
        self._guests = guests
        self.user_select = {
            "$select": ",".join(["id", *mapping.properties]),
            "$expand": "manager($select=id)",
        }

    def user(self, identifier: ImmutableId, scope: Scope) -> Observation | None:
        """The user as it is now, None if there is none of that id. Raises EntraFailed if it cannot be read."""
        asked_at = self._clock()
        try:
            url = self._graph.url("users", identifier)
            entry = self._graph.get(url, self.user_select, permission=READ_USERS)
        except GraphRefused as refused:
            if refused.status != 404:
                raise
            return None
        return self.observe_user(entry, asked_at, scope)

    def observe_user(self, entry: Mapping[str, Any], read_at: datetime, scope: Scope) -> Observation:
        """A user read with ``user_select``."""
        manager = entry.get("manager") or {}
        return self._mapping.observe(
            entry,
            read_at=read_at,
            manager=manager.get("id") if kind_of(manager) in (Kind.USER, None) else None,
            manager_known=True,
            evidence=self.evidence_of(entry, scope),
            whole=True,
        )

    def evidence_of(self, user: Mapping[str, Any], scope: Scope) -> Evidence:
        """Whether an existing user is in scope."""
        welcome = self._guests or not is_guest(user)
        return Evidence.PRESENT if welcome and scope.covers_user(user["id"]) else Evidence.OUT_OF_SCOPE

    def group(self, identifier: ImmutableId, scope: Scope) -> Observation | None:
        """The group with all its members as they are now, None if there is none of that id."""
        asked_at = self._clock()
        try:
            url = self._graph.url("groups", identifier)
            entry = self._graph.get(url, {"$select": ",".join(["id", *GROUP_PROPERTIES])}, permission=READ_GROUPS)
            members = list(self.members(identifier))
        except GraphRefused as refused:
            if refused.status != 404:
                raise
            return None
        evidence = Evidence.PRESENT if scope.covers_group(identifier) else Evidence.OUT_OF_SCOPE
        return observe_group(entry, read_at=asked_at, members=members, evidence=evidence)

    def members(self, group: ImmutableId) -> Iterator[Member]:
        """The direct members of a group: users and groups."""
        url = self._graph.url("groups", group, "members")
        for page in self._graph.pages(url, {"$select": "id", "$top": PAGE_SIZE}, permission=READ_GROUPS):
            for entry in page:
                kind = kind_of(entry)
                if kind is not None:
                    yield Member(entry["id"], kind)

    def groups_of(self, identifier: ImmutableId, kind: Kind) -> Iterator[ImmutableId]:
        """The groups that a user or group is a direct member of."""
        return self._linked(identifier, kind, "memberOf", Kind.GROUP)

    def reports_of(self, user: ImmutableId) -> Iterator[ImmutableId]:
        """The users whose manager this user is."""
        return self._linked(user, Kind.USER, "directReports", Kind.USER)

    def _linked(self, identifier: ImmutableId, kind: Kind, relation: str, wanted: Kind) -> Iterator[ImmutableId]:
        """Ids behind a relation; none if the object has gone meanwhile, or the application may not ask (the least
        permission for these relations is not documented for applications)."""
        url = self._graph.url(f"{kind.lower()}s", identifier, relation)
        try:
            for page in self._graph.pages(url, {"$select": "id", "$top": PAGE_SIZE}, permission=READ_USERS):
                yield from (entry["id"] for entry in page if kind_of(entry) is wanted)
        except GraphRefused as refused:
            if refused.status not in (403, 404):
                raise

    def gone(self, identifier: ImmutableId, kind: Kind | None = None) -> Observation:
        """What became of an object that was just not found: in the recycle bin or deleted for good.

        Where the application may not look into the recycle bin (groups need Group.Read.All) the object counts as
        restorable. An object of unknown kind that left no trace is told as a user; its id is all that matters.
        """
        asked_at = self._clock()
        evidence = Evidence.SOFT_DELETED
        try:
            url = self._graph.url("directory", "deletedItems", identifier)
            entry = self._graph.get(url, {"$select": "id"}, permission=READ_USERS)
            kind = kind_of(entry) or kind
        except GraphRefused as refused:
            if refused.status == 404:
                evidence = Evidence.DELETED
            elif refused.status != 403:
                raise
        return Observation(kind or Kind.USER, identifier, evidence, asked_at)

    def look_up(self, identifier: ImmutableId, scope: Scope) -> Observation:
        """The object of any kind as it is now, or what became of it. Raises EntraFailed if it cannot be read."""
        return self.user(identifier, scope) or self.group(identifier, scope) or self.gone(identifier)

    def soft_deleted(self, kind: Kind) -> Iterable[ImmutableId]:
        """The ids in the recycle bin; none where the application may not look into it."""
        url = self._graph.url("directory", "deletedItems", f"microsoft.graph.{kind.lower()}")
        permission = READ_USERS if kind is Kind.USER else _DELETED_GROUPS
        try:
            for page in self._graph.pages(url, {"$select": "id", "$top": PAGE_SIZE}, permission=permission):
                yield from (entry["id"] for entry in page)
        except GraphRefused as refused:
            if refused.status != 403:
                raise
