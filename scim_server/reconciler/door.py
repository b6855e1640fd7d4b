"""The door: the one place where decided proposals become rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from scim_server.domain.allocate import allocate
from scim_server.domain.keys import USERNAME, Claim, Wanted
from scim_server.reconciler.proposals import Document, Origin, Proposal
from scim_server.scim.index import index_rows
from scim_server.scim.registry import ResourceType
from scim_server.store.engine import Session
from scim_server.store.identities import claims, duplicates
from scim_server.store.identities.changes import write_change
from scim_server.store.identities.claims import Holder
from scim_server.store.identities.links import write_anchors, write_link, write_told
from scim_server.store.identities.resources import (
    NewState,
    change_count,
    insert_resource,
    update_resource,
    write_values,
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that a proposal wants and another resource holds."""

    wanted: Wanted
    holder: Holder

    @property
    def kind(self) -> str:
        """The kind of duplicate, in the words of the register."""
        if self.wanted.role == "login" or self.holder.role == "login":
            return "cross_login"
        if not self.holder.active:
            return "held_by_inactive"
        if self.wanted.role == "secondary":
            return "secondary_email"
        return {"username": "username", "email": "email", "group": "group_name"}[self.wanted.claim.ns]


@dataclass(frozen=True, slots=True)
class Decision:
    """Which proposals may be written, and what stands against the others (by resource id)."""

    accepted: list[Proposal]
    refused: dict[str, list[Conflict]]


def decide(session: Session, proposals: Sequence[Proposal]) -> Decision:
    """Allocate the claims of all proposals together, everybody else keeping what they hold."""
    if not any(proposal.claims_change for proposal in proposals):
        return Decision(list(proposals), {})
    by_id = {proposal.resource_id: proposal for proposal in proposals}
    held = claims.holders(session, {wanted.claim for proposal in proposals for wanted in proposal.wanted})
    fixed = {claim: holder.id for claim, holder in held.items() if holder.id not in by_id}
    allocation = allocate([proposal.claimant() for proposal in proposals], fixed)
    refused = {
        loser: _conflicts(by_id[loser], witnesses, held, by_id) for loser, witnesses in allocation.refused.items()
    }
    return Decision([by_id[winner] for winner in allocation.accepted], refused)


def _conflicts(
    loser: Proposal, witnesses: Mapping[Claim, str], held: dict[Claim, Holder], proposals: dict[str, Proposal]
) -> list[Conflict]:
    found = []
    for wanted in loser.wanted:
        witness = witnesses.get(wanted.claim)
        if witness is None:
            continue
        holder = held.get(wanted.claim)
        if holder is None or holder.id != witness:
            peer = proposals[witness]
            holder = Holder(wanted.claim, peer.loaded.pk if peer.loaded else 0, witness, "primary", True, "")
        found.append(Conflict(wanted, holder))
    return _told_once(found)


def _told_once(conflicts: list[Conflict]) -> list[Conflict]:
    """The conflicts without the address that a username spells, where that username itself meets the same holder."""
    namesakes = {conflict.holder.id for conflict in conflicts if conflict.wanted.claim.ns == USERNAME}
    return [each for each in conflicts if each.wanted.role != "login" or each.holder.id not in namesakes]


def write(session: Session, proposals: Iterable[Proposal], origin: Origin) -> dict[str, int]:
    """Every proposal is the stored state; resource id to number. All claims are dropped before any is taken.

    Raises ClaimLost where another transaction took a claim meanwhile.
    """
    ordered = sorted(proposals, key=lambda proposal: proposal.loaded.pk if proposal.loaded else 0)
    for proposal in ordered:
        if proposal.loaded and proposal.dropped:
            claims.drop(session, proposal.loaded.pk, proposal.dropped)
    numbers = {proposal.resource_id: _write_rows(session, proposal, origin) for proposal in ordered}
    for proposal in ordered:
        claims.take(session, numbers[proposal.resource_id], proposal.taken)
    # last, for every writer of a tenant changes the same row: nobody holds it while waiting for a claim
    for kind, number in Counter(each.resource_type.name for each in ordered if each.loaded is None).items():
        change_count(session, kind, number)
    released = {claim for proposal in ordered for claim in proposal.dropped}
    retaken = {wanted.claim: numbers[proposal.resource_id] for proposal in ordered for wanted in proposal.taken}
    for claim in sorted(released):
        if claim in retaken:
            duplicates.pass_on(session, claim, retaken[claim])
        else:
            duplicates.clear_key(session, claim, origin.at)
    return numbers


def _write_rows(session: Session, proposal: Proposal, origin: Origin) -> int:
    resource_type = proposal.resource_type
    new = NewState(
        document=orjson.dumps(proposal.after).decode(),
        display=display_of(proposal.after),
        active=proposal.after.get("active", True) is not False,
        at=origin.at,
    )
    changed = proposal.changes
    if proposal.loaded is None:
        pk = insert_resource(session, resource_type.name, proposal.resource_id, new)
        action = "created"
    else:
        pk, action = proposal.loaded.pk, proposal.action or _action(changed)
        if changed:
            update_resource(session, pk, new)
    if changed:
        before, after = _that_differs(proposal.before, proposal.after), _that_differs(proposal.after, proposal.before)
        write_values(session, pk, index_rows(before, resource_type), index_rows(after, resource_type))
    if proposal.link_moves:
        write_link(session, resource_type=resource_type.name, pk=pk, link=proposal.link)
    else:
        write_told(session, proposal.link)
    if proposal.anchors:
        write_anchors(session, proposal.link.source_id, proposal.link.immutable_id, proposal.anchors)
    if changed or proposal.action:
        log_change(session, proposal, pk, action, changed, origin)
    return pk


def _that_differs(document: Document, other: Document) -> Document:
    """The attributes of the document that are not the same in the other."""
    return {name: value for name, value in document.items() if name not in other or other[name] != value}


def _action(changed: dict[str, tuple[Any, Any]]) -> str:
    if "active" in changed:
        return "reactivated" if changed["active"][1] else "deactivated"
    return "modified"


def log_change(
    session: Session,
    proposal: Proposal,
    pk: int,
    action: str,
    changed: dict[str, tuple[Any, Any]],
    origin: Origin,
) -> None:
    """The change log tells which attributes differ, with both values."""
    write_change(
        session,
        pk=pk,
        resource_id=proposal.resource_id,
        resource_type=proposal.resource_type.name,
        action=action,
        channel=origin.channel,
        source=origin.source_id,
        actor=origin.actor,
        request=origin.request,
        plan=origin.plan,
        before=orjson.dumps({name: old for name, (old, _) in changed.items() if old is not None}).decode(),
        after=orjson.dumps({name: new for name, (_, new) in changed.items() if new is not None}).decode(),
        at=origin.at,
    )


def display_of(document: Document) -> str:
    """What a group shows of this member (and a user of this group): the display name, else the user name."""
    return str(document.get("displayName") or document.get("userName") or "")


def parse_stored(text: str) -> Document:
    """A stored document as a dictionary of its own."""
    return orjson.loads(text)  # type: ignore[no-any-return]  # stored documents are objects


def empty_document(resource_type: ResourceType) -> Document:
    """The document of a resource that does not exist yet."""
    return {"schemas": [resource_type.core.id]}
