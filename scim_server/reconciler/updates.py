"""From "this client wants the resource to look so" to a proposal that respects every other source of the resource."""

from collections.abc import Mapping
from typing import Any

import orjson

from scim_server.domain.attributes import differences, flatten
from scim_server.domain.clients import Client
from scim_server.reconciler.composition import compose
from scim_server.reconciler.proposals import Document, Proposal, new_link, updated_link, wanted_claims
from scim_server.scim.registry import ResourceType
from scim_server.store.engine import Session
from scim_server.store.identities.links import StoredLink, links_of
from scim_server.store.identities.resources import Loaded


def update_proposal(
    session: Session,
    client: Client,
    resource_type: ResourceType,
    at: str,
    *,
    loaded: Loaded,
    before: Document,
    asked: Document,
    asserted: Document | None = None,
    anchors: Mapping[str, str] | None = None,
) -> Proposal | None:
    """The proposal to make the resource what the client ``asked``; None where nothing has to be written.

    A client that changes a resource it has no link to is linked to it. ``asserted`` is given where the client told the
    whole resource, not a change of it.
    """
    links = links_of(session, loaded.pk)
    own = next((link for link in links if link.source_id == client.source_id), None)
    changed = differences(before, asked)
    if not changed and own is not None and own.state == "present":
        return None
    link = _next_link(own, client, loaded.id, at, changed, asserted)
    others = [other for other in links if other.source_id != client.source_id]
    after = compose(asked, [*others, link], resource_type, blocked=bool(loaded.blocked))
    wanted = wanted_claims(after, resource_type, client)
    same = _claims_untouched(changed, before, after)
    return Proposal(
        resource_type=resource_type,
        resource_id=loaded.id,
        loaded=loaded,
        before=before,
        after=after,
        link=link,
        wanted=wanted,
        held=wanted if same else wanted_claims(before, resource_type, client),
        anchors=anchors or {},
        link_moves=own is None or own.state != "present" or asserted is not None,
    )


def _next_link(
    own: StoredLink | None,
    client: Client,
    resource_id: str,
    at: str,
    changed: Mapping[str, tuple[Any, Any]],
    asserted: Document | None,
) -> StoredLink:
    if asserted is not None:
        return new_link(client, resource_id, asserted, at, origin="anchor")
    if own is None:
        own = new_link(client, resource_id, {}, at, origin="manual")
    elif own.state != "present":
        own = own._replace(mapped=orjson.dumps(flatten({})).decode(), times="{}")
    return updated_link(own, changed, at)


_CLAIMING = ("userName", "emails", "displayName")


def _claims_untouched(changed: Mapping[str, Any], before: Document, after: Document) -> bool:
    """Whether no attribute that makes a claim differs; saves normalising the same names twice."""
    return not any(name in changed for name in _CLAIMING) and all(
        before.get(name) == after.get(name) for name in _CLAIMING
    )
