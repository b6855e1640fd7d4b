"""Pushing somebody new, or somebody another source already told about."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from scim_server.domain.clients import Client
from scim_server.reconciler.proposals import Document, Proposal, new_link, wanted_claims
from scim_server.scim.registry import ResourceType
from scim_server.store.engine import Session
from scim_server.store.identities.links import find_by_anchor, links_of
from scim_server.store.identities.resources import Loaded, load_by_key

ENTRA_ID = "entra_id"


def anchors_of(document: Document, client: Client) -> dict[str, str]:
    """The anchors a pushed document carries: externalId, where the source declares it to be Entra's object id."""
    external = document.get("externalId")
    if not client.push.external_id_is_entra_object_id or not external:
        return {}
    try:
        return {ENTRA_ID: str(UUID(external))}
    except ValueError:
        return {}


def same_person(session: Session, anchors: Mapping[str, str]) -> Loaded | None:
    """The one live user whom some source knows under one of these anchors."""
    found = {pk for kind, value in anchors.items() for pk in find_by_anchor(session, kind, value)}
    if len(found) != 1:
        return None
    loaded = load_by_key(session, found.pop())
    return loaded if loaded is not None and loaded.state == "live" else None


def is_linked(session: Session, loaded: Loaded, client: Client) -> bool:
    """Whether the client provisions this resource already."""
    links = links_of(session, loaded.pk)
    return any(link.source_id == client.source_id and link.state == "present" for link in links)


def new_proposal(
    document: Document, resource_type: ResourceType, client: Client, anchors: Mapping[str, str], at: str
) -> Proposal:
    """A resource under a new id. A user is active unless the client says otherwise."""
    resource_id = str(uuid4())
    after = {"schemas": document["schemas"], "id": resource_id, **document}
    if resource_type.name == "User":
        after.setdefault("active", True)
    return Proposal(
        resource_type=resource_type,
        resource_id=resource_id,
        loaded=None,
        before={},
        after=after,
        link=new_link(client, resource_id, after, at, origin="created"),
        wanted=wanted_claims(after, resource_type, client),
        anchors=anchors,
    )
