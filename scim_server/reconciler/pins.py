"""Pins: values that an administrator fixed for a user, kept as the link of the tenant's source of local edits."""

from collections.abc import Mapping
from typing import Any

import orjson

from scim_server.domain.identities import LinkOrigin, SourceKind
from scim_server.store.engine import Session
from scim_server.store.identities.links import StoredLink, links_of, write_link
from scim_server.store.identities.plans import all_sources

Pin = Mapping[str, Any]
"""``source``: id, kind and rank of the local source; ``id``: that of the resource; ``values``: flat attributes."""


def is_pin(link: StoredLink) -> bool:
    """Whether the link only pins values; it keeps nobody alive."""
    return link.source_kind == SourceKind.LOCAL and link.origin != LinkOrigin.CREATED


def pin_of(session: Session, resource_id: str, values: Mapping[str, Any]) -> Pin:
    """These flat attributes are to be pinned for the resource."""
    local = next(source for source in all_sources(session) if source.kind == SourceKind.LOCAL)
    return {"source": [local.id, local.kind, local.rank], "id": resource_id, "values": dict(values)}


def pin_link(pin: Pin, at: str, before: StoredLink | None = None) -> StoredLink:
    """The link that holds the pin, with what was pinned before."""
    source_id, kind, rank = pin["source"]
    values = {**(orjson.loads(before.mapped) if before else {}), **pin["values"]}
    return StoredLink(
        source_id=source_id,
        source_kind=kind,
        source_rank=rank,
        immutable_id=pin["id"],
        state="present",
        enabled=None,
        origin=before.origin if before else LinkOrigin.MANUAL,
        mapped=orjson.dumps(values).decode(),
        times="{}",
        read_at=at,
    )


def write_pin(session: Session, number: int, kind: str, pin: Pin, at: str) -> None:
    """The values are pinned for the resource with that number."""
    source_id = pin["source"][0]
    before = next((link for link in links_of(session, number) if link.source_id == source_id), None)
    write_link(session, resource_type=kind, pk=number, link=pin_link(pin, at, before))
