"""The groups an administrator may choose as scope."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.entra.graph import PAGE_SIZE, Graph
from connectors.entra.mapping import kind_of
from scim_server.domain.observations import Kind, Place


def browse_groups(graph: Graph, parent: str | None) -> Sequence[Place]:
    """All groups of the tenant, or those directly inside the group ``parent``, by name."""
    url = graph.url("groups", parent, "members") if parent else graph.url("groups")
    query = {"$select": "id,displayName,groupTypes,securityEnabled", "$top": PAGE_SIZE}
    places = [
        _place(entry)
        for page in graph.pages(url, query, permission="GroupMember.Read.All")
        for entry in page
        if not parent or kind_of(entry) is Kind.GROUP
    ]
    return sorted(places, key=lambda place: place.name.casefold())


def _place(group: Mapping[str, Any]) -> Place:
    unified = "Unified" in (group.get("groupTypes") or ())
    kind = (
        "Microsoft 365 group" if unified else "Security group" if group.get("securityEnabled") else "Distribution group"
    )
    # Microsoft 365 groups cannot hold groups; whether another one does is known when it is opened
    return Place(group["id"], group.get("displayName") or group["id"], kind, has_children=not unified)
