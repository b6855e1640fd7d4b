"""A client deletes a resource: its link ends; the resource goes when no other source vouches for it."""

import orjson

from scim_server.domain.attributes import flatten
from scim_server.domain.clients import Client
from scim_server.reconciler.composition import compose
from scim_server.reconciler.door import parse_stored, write
from scim_server.reconciler.pins import is_pin
from scim_server.reconciler.proposals import Document, Origin, Proposal, new_link, wanted_claims
from scim_server.scim.registry import ResourceType
from scim_server.store.engine import Session
from scim_server.store.identities import claims, duplicates
from scim_server.store.identities.changes import write_change
from scim_server.store.identities.links import StoredLink, links_of, write_link
from scim_server.store.identities.resources import Loaded, bury


def depart(session: Session, loaded: Loaded, resource_type: ResourceType, origin: Origin, client: Client) -> None:
    """The client's link is ended, so it sees the resource no more (404).

    With another present link the resource lives on from what the others say; otherwise the policy of the client's
    source decides: delete (a tombstone, claims free), deactivate or ignore.
    """
    before = parse_stored(loaded.document)
    links = links_of(session, loaded.pk)
    own = next((link for link in links if link.source_id == client.source_id), None)
    own = own or new_link(client, loaded.id, {}, origin.at, origin="manual")
    ended = own._replace(state="deleted", read_at=origin.at)
    others = [link for link in links if link.source_id != client.source_id and link.state == "present"]
    if all(is_pin(link) for link in others):
        others = []
    duplicates.clear_object(session, client.source_id, own.immutable_id, origin.at)
    if others or client.push.on_deleted != "delete":
        after = _left_behind(before, loaded, others, resource_type, client.push.on_deleted)
        _live_on(session, loaded, resource_type, origin, client, before=before, after=after, ended=ended)
        return
    end(session, loaded, resource_type, origin, before, ended)


def _left_behind(
    before: Document, loaded: Loaded, others: list[StoredLink], resource_type: ResourceType, policy: str
) -> Document:
    if others:
        return compose(before, others, resource_type, blocked=bool(loaded.blocked))
    return {**before, "active": False} if policy == "deactivate" and resource_type.name == "User" else before


def _live_on(
    session: Session,
    loaded: Loaded,
    resource_type: ResourceType,
    origin: Origin,
    client: Client,
    *,
    before: Document,
    after: Document,
    ended: StoredLink,
) -> None:
    proposal = Proposal(
        resource_type=resource_type,
        resource_id=loaded.id,
        loaded=loaded,
        before=before,
        after=after,
        link=ended,
        wanted=wanted_claims(after, resource_type, client),
        held=wanted_claims(before, resource_type, client),
    )
    write(session, [proposal], origin)


def end(
    session: Session,
    loaded: Loaded,
    resource_type: ResourceType,
    origin: Origin,
    before: Document,
    ended: StoredLink | None,
) -> None:
    """The resource is a tombstone, its claims are free, and its source's link, if any is given, is so."""
    freed = claims.held_by(session, loaded.pk)
    claims.drop_all(session, loaded.pk)
    bury(session, loaded.pk, resource_type.name, origin.at)
    if ended is not None:
        write_link(session, resource_type=resource_type.name, pk=loaded.pk, link=ended)
    for claim in sorted(freed):
        duplicates.clear_key(session, claim, origin.at)
    write_change(
        session,
        pk=loaded.pk,
        resource_id=loaded.id,
        resource_type=resource_type.name,
        action="deleted",
        channel=origin.channel,
        source=origin.source_id,
        actor=origin.actor,
        request=origin.request,
        plan=origin.plan,
        before=orjson.dumps(flatten(before)).decode(),
        after="{}",
        at=origin.at,
    )
