"""Resources written straight into the tables, as the server would have left them, for tests of the reading side."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import insert, update

from scim_server.scim.index import index_rows
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import (
    attribute_values,
    counts,
    links,
    members,
    resources,
    tenants,
)

REGISTRY = SchemaRegistry.standard()
AT = "2026-03-02T09:14:07.123456Z"
VIEWER = 7


class Population:
    """The resources of one tenant; ``meta`` of a document gives its times and version, ``state`` a tombstone."""

    def __init__(self, database: Database, tenant: int = 1, registry: SchemaRegistry = REGISTRY) -> None:
        self.database = database
        self.tenant = tenant
        self.registry = registry
        self.pks: dict[str, int] = {}
        self._insert(tenants, [{"id": tenant, "name": f"tenant {tenant}", "created_at": AT}])
        source = {"id": VIEWER * tenant, "tenant_id": tenant, "name": "push", "kind": "scim", "rank": 20}
        self._insert(sources, [source | {"created_at": AT}])

    def add(self, type_name: str, documents: Iterable[Mapping[str, Any]], *, state: str = "live") -> None:
        """The documents are resources, with index rows and counts."""
        rows, values = [], []
        resource_type = self.registry.type_named(type_name)
        for document in documents:
            pk = self.tenant * 1_000_000 + len(self.pks) + 1
            self.pks[document["id"]] = pk
            rows.append(self._row(pk, type_name, document, state))
            values += [
                {"tenant_id": self.tenant, "resource_pk": pk, "attribute": number, "element": n, "head": h, "tail": t}
                for number, n, h, t in (index_rows(document, resource_type) if state == "live" else ())
            ]
        self._insert(resources, rows)
        self._insert(attribute_values, values)
        if state == "live":
            self._count(type_name, len(rows))

    def join(self, group: str, member_ids: Sequence[str]) -> None:
        """The members are in the group."""
        self._insert(
            members,
            [
                {"tenant_id": self.tenant, "group_pk": self.pks[group], "member_pk": self.pks[member]}
                for member in member_ids
            ],
        )

    def hide(self, resource_id: str) -> None:
        """The viewer has deleted its own link to the resource."""
        link = {
            "tenant_id": self.tenant,
            "source_id": VIEWER * self.tenant,
            "immutable_id": resource_id,
            "type": "User",
            "resource_pk": self.pks[resource_id],
            "state": "deleted",
            "origin": "push",
            "mapped": "{}",
            "read_at": AT,
        }
        self._insert(links, [link])

    def _count(self, type_name: str, more: int) -> None:
        of_type = (counts.c.tenant_id == self.tenant, counts.c.type == type_name)
        with self.database.engine.begin() as connection:
            if connection.execute(update(counts).where(*of_type).values(live=counts.c.live + more)).rowcount:
                return
        self._insert(counts, [{"tenant_id": self.tenant, "type": type_name, "live": more}])

    def _row(self, pk: int, type_name: str, document: Mapping[str, Any], state: str) -> dict[str, Any]:
        meta = document.get("meta", {})
        stored = {name: value for name, value in document.items() if name != "meta"}
        return {
            "pk": pk,
            "tenant_id": self.tenant,
            "type": type_name,
            "id": document["id"],
            "state": state,
            "active": document.get("active", True),
            "version": int(meta.get("version", 'W/"1"')[3:-1]),
            "display": document.get("displayName") or document.get("userName") or "",
            "created_at": meta.get("created", AT),
            "modified_at": meta.get("lastModified", AT),
            "document": json.dumps(stored),
        }

    def _insert(self, table: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            with self.database.engine.begin() as connection:
                connection.execute(insert(table), rows)
