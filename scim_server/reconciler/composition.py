"""The effective document of a resource that several sources speak for."""

from collections.abc import Sequence
from typing import Any

import orjson

from scim_server.domain.attributes import unflatten
from scim_server.domain.authority import effective
from scim_server.domain.identities import Link, SourceKind, SourceRef
from scim_server.domain.times import from_text
from scim_server.scim.registry import ResourceType
from scim_server.store.identities.links import StoredLink

Document = dict[str, Any]

_KINDS = {"active-directory": SourceKind.AD, "sample": SourceKind.FILE}


def compose(
    asked: Document,
    links: Sequence[StoredLink],
    resource_type: ResourceType,
    *,
    blocked: bool,
) -> Document:
    """The effective document: what was ``asked`` where one source speaks, otherwise by authority over all links.

    ``links`` are the links as they will be. An administrator's block keeps ``active`` false whatever sources say.
    """
    present = [link for link in links if link.state == "present"]
    if len(present) <= 1:
        return {**asked, "active": False} if blocked and asked.get("active") else asked
    sources = {
        link.source_id: SourceRef(link.source_id, _KINDS.get(link.source_kind, link.source_kind), link.source_rank)
        for link in present
    }
    decided = effective([_domain_link(link) for link in present], sources, admin_block=blocked)
    document = unflatten(decided.attributes)
    if decided.active is not None and resource_type.name == "User":
        document["active"] = decided.active
    return in_schema_order({"id": asked["id"], **document}, resource_type)


def _domain_link(link: StoredLink) -> Link:
    return Link(
        source_id=link.source_id,
        immutable_id=link.immutable_id,
        state=link.state,
        enabled=link.enabled,
        mapped=orjson.loads(link.mapped),
        times={name: from_text(at) for name, at in orjson.loads(link.times).items()},
        read_at=from_text(link.read_at),
        origin=link.origin,
    )


def in_schema_order(document: Document, resource_type: ResourceType) -> Document:
    """The document with ``schemas`` recomputed and its attributes in the order of the schemas."""
    names = ("id", *(ref.attribute.name for ref in resource_type.references() if not ref.urn))
    ordered = {name: document[name] for name in names if name in document and name not in ("schemas", "meta")}
    extensions = {schema.id: document[schema.id] for schema in resource_type.extensions if document.get(schema.id)}
    return {"schemas": [resource_type.core.id, *extensions], **ordered, **extensions}
