"""Which users and groups come in, decided here because delta queries know no filter by group."""

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.entra.errors import EntraFailed, GraphRefused
from connectors.entra.graph import PAGE_SIZE, Graph
from connectors.entra.mapping import kind_of
from scim_server.domain.observations import ImmutableId, Kind


@dataclass(frozen=True, slots=True)
class Scope:
    """The ids in scope; None means all."""

    users: frozenset[ImmutableId] | None = None
    groups: frozenset[ImmutableId] | None = None

    def covers_user(self, identifier: ImmutableId) -> bool:
        return self.users is None or identifier in self.users

    def covers_group(self, identifier: ImmutableId) -> bool:
        return self.groups is None or identifier in self.groups

    @property
    def members(self) -> frozenset[ImmutableId]:
        """Everything that is in scope by being listed."""
        return (self.users or frozenset()) | (self.groups or frozenset())


def read_scope(graph: Graph, groups: Iterable[ImmutableId], *, only_members: bool, import_groups: bool) -> Scope:
    """The scope now: the groups, all groups nested in them, and with ``only_members`` the users in any of these.

    Raises EntraFailed when a scope group is gone; an empty scope is never assumed.
    """
    named = frozenset(group.lower() for group in groups)
    if not named:
        return Scope(groups=None if import_groups else frozenset())
    found_users: set[ImmutableId] = set()
    found_groups: set[ImmutableId] = set(named)
    for group in sorted(named):
        url = graph.url("groups", group, "transitiveMembers")
        try:
            for page in graph.pages(url, {"$select": "id", "$top": PAGE_SIZE}, permission="GroupMember.Read.All"):
                found_users.update(entry["id"] for entry in page if kind_of(entry) is Kind.USER)
                found_groups.update(entry["id"] for entry in page if kind_of(entry) is Kind.GROUP)
        except GraphRefused as refused:
            if refused.status != 404:
                raise
            raise EntraFailed(
                f"The scope group {group} is not in the directory.",
                "Choose another group, or remove it from scope_groups; until then nothing is changed.",
            ) from refused
    return Scope(
        users=frozenset(found_users) if only_members else None,
        groups=frozenset(found_groups) if import_groups else frozenset(),
    )
