"""What holds in the tables after every request, whoever sent it and whatever else went on."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from scim_server.domain.keys import claims_of, group_claims
from scim_server.scim.index import index_rows
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database
from scim_server.store.tables.identities import attribute_values, claims, counts, duplicates, links, resources

REGISTRY = SchemaRegistry.standard()
Rows = list[Mapping[str, Any]]


def violations(database: Database, tenant: int) -> list[str]:
    """Every broken invariant of a tenant, in words; the numbers are those of the contract of the reconciler."""
    with database.engine.connect() as connection:
        found = {
            table.name: _rows(connection, table, tenant)
            for table in (resources, claims, attribute_values, counts, links, duplicates)
        }
    everybody = found["resources"]
    live = [row for row in everybody if row["state"] == "live"]
    return [
        *_rows_agree(live),
        *_claims_agree(live, found["claims"]),
        *_index_agrees(live, found["attribute_values"]),
        *_counts_agree(live, found["counts"]),
        *_links_agree(live, found["links"]),
        *_duplicates_have_witnesses(live, found["claims"], found["duplicates"]),
    ]


def _rows(connection: Connection, table: Table, tenant: int) -> Rows:
    return [dict(row) for row in connection.execute(select(table).where(table.c.tenant_id == tenant)).mappings()]


def _rows_agree(live: Rows) -> Iterator[str]:
    for row in live:
        document = orjson.loads(row["document"])
        if document["id"] != row["id"]:
            yield f"{row['pk']}: the document has another id"
        if document.get("active", True) is not bool(row["active"]):
            yield f"{row['pk']}: the document says active {document.get('active')}, the row {row['active']}"
        if row["display"] != (document.get("displayName") or document.get("userName")):
            yield f"{row['pk']}: is displayed as {row['display']}"


def _claims_agree(live: Rows, held: Rows) -> Iterator[str]:
    """I1: each claim has one holder, and the claims are those that the documents make."""
    wanted = [
        (claim.claim.ns, claim.claim.key, row["pk"], claim.role)
        for row in live
        for claim in _claims(row["type"], orjson.loads(row["document"]))
    ]
    shared = [key for key, number in Counter((ns, key) for ns, key, _, _ in wanted).items() if number > 1]
    if shared:
        yield f"I1: {shared} are held twice"
    kept = [(row["ns"], row["key"], row["resource_pk"], row["role"]) for row in held]
    if sorted(kept) != sorted(wanted):
        yield f"I1: claims {sorted(kept)} instead of {sorted(wanted)}"


def _claims(kind: str, document: Mapping[str, Any]) -> list[Any]:
    return group_claims(document, unique=True) if kind == "Group" else claims_of(document, address_required=False)


def _index_agrees(live: Rows, values: Rows) -> Iterator[str]:
    wanted = {
        (row["pk"], *value)
        for row in live
        for value in index_rows(orjson.loads(row["document"]), REGISTRY.type_named(row["type"]))
    }
    kept = {(row["resource_pk"], row["attribute"], row["element"], row["head"], row["tail"]) for row in values}
    if kept != wanted:
        yield f"index: {sorted(kept ^ wanted)}"


def _counts_agree(live: Rows, kept: Rows) -> Iterator[str]:
    wanted = Counter(row["type"] for row in live)
    told = {row["type"]: row["live"] for row in kept}
    for kind in ("User", "Group"):
        if told.get(kind, 0) != wanted[kind]:
            yield f"counts: {told.get(kind, 0)} of type {kind} instead of {wanted[kind]}"


def _links_agree(live: Rows, kept: Rows) -> Iterator[str]:
    """I2: at most one present link of a source to a resource; and nobody is vouched for who is gone."""
    present = Counter((row["source_id"], row["resource_pk"]) for row in kept if row["state"] == "present")
    yield from (f"I2: source {source} has two links to {pk}" for (source, pk), number in present.items() if number > 1)
    gone = {row["resource_pk"] for row in kept if row["state"] == "present"} - {row["pk"] for row in live}
    if gone:
        yield f"I2: {gone} are gone and still have present links"
    orphans = {row["pk"] for row in live} - {pk for _, pk in present}
    if orphans:
        yield f"I2: nobody vouches for {orphans}"


def _duplicates_have_witnesses(live: Rows, held: Rows, cases: Rows) -> Iterator[str]:
    """I8: whoever is named as the holder of a value holds it."""
    holders = {(row["ns"], row["key"]): row["resource_pk"] for row in held}
    present = {row["pk"] for row in live}
    for case in cases:
        if case["status"] not in ("open", "dismissed"):
            continue
        holder = holders.get((case["ns"], case["key"]))
        if holder is None or holder != case["holder_pk"] or holder not in present:
            yield f"I8: {case['ns']} {case['key']} is open against {case['holder_pk']}, held by {holder}"
        if holder == case["resource_pk"]:
            yield f"I8: {case['ns']} {case['key']} is open for the one that holds it"
