"""Refused pushes: the record of both sides, the words for the client, and the second half of a swap."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from scim_server.domain.attributes import flatten, unflatten
from scim_server.domain.clients import Client, Scope
from scim_server.domain.keys import ukey
from scim_server.domain.times import from_text
from scim_server.reconciler.composition import in_schema_order
from scim_server.reconciler.door import Conflict, parse_stored
from scim_server.reconciler.proposals import Document, Origin, Proposal
from scim_server.reconciler.updates import update_proposal
from scim_server.scim.registry import ResourceType
from scim_server.store.engine import Session
from scim_server.store.identities import claims, duplicates
from scim_server.store.identities.claims import ClaimLost
from scim_server.store.identities.duplicates import Case, Refusal
from scim_server.store.identities.links import links_of
from scim_server.store.identities.resources import load_if_free


class Refused(Exception):
    """A proposal wants values that others hold; nothing of it was written."""

    def __init__(self, proposal: Proposal, conflicts: Sequence[Conflict], object_id: str) -> None:
        super().__init__(object_id)
        self.proposal = proposal
        self.conflicts = conflicts
        self.object_id = object_id

    def detail(self, client: Client) -> str:
        """What an administrator reads in the client's log; the holder's id only for a client that may read it."""
        sentences = " ".join(self._sentence(conflict, client) for conflict in self.conflicts)
        return f"{sentences} Nothing was changed; the conflict is recorded as a duplicate."

    def _sentence(self, conflict: Conflict, client: Client) -> str:
        resource = self.proposal.resource_type.name.lower()
        state = "" if conflict.holder.active else "inactive "
        holder = f" with the id {conflict.holder.id}" if client.may(Scope.READ) else ""
        return (
            f'{conflict.wanted.attribute} "{conflict.wanted.raw[:200]}" is used by another {state}{resource}{holder}.'
        )


def object_of(document: Document) -> str:
    """How a new object that was refused is recognised when the client asks again."""
    external = document.get("externalId")
    name = document.get("userName") or document.get("displayName") or ""
    return f"externalId:{external}" if external else f"name:{ukey(name)}"


def record(session: Session, refused: Refused, origin: Origin) -> None:
    """Each conflict of the refused proposal is an open duplicate that names the holder.

    Raises ClaimLost where a holder has let go of its value meanwhile: the request may succeed now.
    """
    proposal = refused.proposal
    told = flatten(proposal.after) if proposal.loaded is None else {n: new for n, (_, new) in proposal.changes.items()}
    for conflict in refused.conflicts:
        if claims.witness(session, conflict.wanted.claim) != conflict.holder.pk:
            raise ClaimLost
        duplicates.write_case(
            session,
            Case(
                source=origin.source_id,
                immutable_id=refused.object_id,
                resource_type=proposal.resource_type.name,
                pk=proposal.loaded.pk if proposal.loaded else None,
                claim=conflict.wanted.claim,
                raw=conflict.wanted.raw,
                kind=conflict.kind,
                holder=conflict.holder.pk or None,
                channel=origin.channel,
                mapped=orjson.dumps(told).decode(),
                at=origin.at,
            ),
        )


def settle(session: Session, source: int, object_id: str, at: str) -> None:
    """What this object was refused before is over: it just got what it asks for now."""
    duplicates.clear_object(session, source, object_id, at)


def replayed(
    session: Session, client: Client, resource_type: ResourceType, origin: Origin, *, besides: Proposal
) -> list[Proposal]:
    """What the client was refused for other resources and what may fit now, as proposals of today.

    A swap arrives as two requests; the first is refused. Together with the second both fit, and both are written. Only
    refusals over a value that is given up, by ``besides`` or by another of them, can fit now.
    """
    found: dict[int, Proposal] = {}
    released = sorted(besides.dropped)
    while released:
        for refusal in duplicates.refusals_of(session, client.source_id, released.pop()):
            if refusal.pk in found or (besides.loaded is not None and refusal.pk == besides.loaded.pk):
                continue
            proposal = _retried(session, client, resource_type, origin, refusal)
            if proposal is not None:
                found[refusal.pk] = proposal
                released += sorted(proposal.dropped)
    return list(found.values())


def _retried(
    session: Session, client: Client, resource_type: ResourceType, origin: Origin, refusal: Refusal
) -> Proposal | None:
    loaded = load_if_free(session, refusal.pk)
    if loaded is None or loaded.state != "live" or loaded.type != resource_type.name:
        return None
    before = parse_stored(loaded.document)
    told = {name: from_text(at) for link in links_of(session, loaded.pk) if link.source_id == client.source_id
            for name, at in orjson.loads(link.times).items()}  # fmt: skip
    refused_at = from_text(refusal.at)
    # what the client has said of an attribute since then stands
    wanted = {
        name: value
        for name, value in orjson.loads(refusal.mapped).items()
        if name not in told or told[name] <= refused_at
    }
    asked = _changed(before, wanted, resource_type)
    return update_proposal(session, client, resource_type, origin.at, loaded=loaded, before=before, asked=asked)


def _changed(before: Document, changes: Mapping[str, Any], resource_type: ResourceType) -> Document:
    wanted = {**flatten(before), **changes}
    document = unflatten({name: value for name, value in wanted.items() if value is not None})
    return in_schema_order({"id": before["id"], **document}, resource_type)
