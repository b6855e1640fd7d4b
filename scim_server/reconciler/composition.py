"""The effective document of a resource that several sources speak for."""

from collections.abc import Sequence
from typing import Any

import orjson

from scim_server.domain.attributes import flatten, unflatten
from scim_server.domain.authority import Sources, effective, is_active
from scim_server.domain.identities import Link
from scim_server.domain.policies import source_ref
from scim_server.domain.times import from_text
from scim_server.scim.registry import ResourceType
from scim_server.store.identities.links import StoredLink

Document = dict[str, Any]


def compose(
    asked: Document,
    links: Sequence[StoredLink],
    resource_type: ResourceType,
    *,
    blocked: bool,
) -> Document:
    """The effective document: what was ``asked`` where one source speaks, otherwise by authority over all links.

    ``links`` are the links as they will be. An attribute that none of them tells (whoever told it has left) stays as
    it is. An administrator's block keeps ``active`` false whatever sources say.
    """
    if sum(link.state == "present" for link in links) <= 1:
        denied = blocked or _is_denied(links)
        return {**asked, "active": False} if denied and asked.get("active") else asked
    decided = effective([domain_link(link) for link in links], sources_of(links), admin_block=blocked)
    told = {name for link in links if link.state == "present" for name in orjson.loads(link.mapped)}
    untold = {name: value for name, value in flatten(asked).items() if name not in told}
    document = unflatten({**untold, **decided.attributes})
    if decided.active is not None and resource_type.name == "User":
        document["active"] = decided.active
    return in_schema_order({"id": asked["id"], **document}, resource_type)


def _is_denied(links: Sequence[StoredLink]) -> bool:
    """Whether the loss of another link keeps the user inactive, whatever the one that is left says."""
    if len(links) <= 1:
        return False
    present = next((link for link in links if link.state == "present"), None)
    if present is None:
        return False
    silent = [domain_link(link._replace(enabled=None, mapped="{}")) for link in links]
    return is_active(silent, sources_of(links)) is False


def sources_of(links: Sequence[StoredLink]) -> Sources:
    """The sources behind the links, with their policies."""
    return {
        link.source_id: source_ref(
            link.source_id, link.source_kind, link.source_rank, link.source_settings, orjson.loads
        )
        for link in links
    }


def domain_link(link: StoredLink) -> Link:
    """The link in the words of the domain."""
    return Link(
        source_id=link.source_id,
        immutable_id=link.immutable_id,
        state=link.state,
        enabled=None if link.enabled is None else bool(link.enabled),
        mapped=orjson.loads(link.mapped),
        times={name: from_text(at) for name, at in orjson.loads(link.times).items()},
        read_at=from_text(link.read_at),
        origin=link.origin,
        separated=bool(link.separated),
        copied=None if link.copied is None else bool(link.copied),
    )


def in_schema_order(document: Document, resource_type: ResourceType) -> Document:
    """The document with ``schemas`` recomputed and its attributes in the order of the schemas."""
    names = ("id", *resource_type.plain_names)
    ordered = {name: document[name] for name in names if name in document and name not in ("schemas", "meta")}
    extensions = {schema.id: document[schema.id] for schema in resource_type.extensions if document.get(schema.id)}
    return {"schemas": [resource_type.core.id, *extensions], **ordered, **extensions}
