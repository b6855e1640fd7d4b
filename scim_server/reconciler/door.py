"""The door: the one place where decided proposals become rows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from scim_server.domain.allocate import allocate
from scim_server.domain.keys import USERNAME, Claim, Wanted
from scim_server.reconciler.proposals import Document, Origin, Proposal
from scim_server.scim.index import index_rows
from scim_server.store.engine import Session
from scim_server.store.identities import claims, duplicates
from scim_server.store.identities.changes import write_changes
from scim_server.store.identities.claims import Holder
from scim_server.store.identities.links import write_all_anchors, write_links, write_told
from scim_server.store.identities.resources import (
    IndexRow,
    NewState,
    change_count,
    insert_resource,
    update_resource,
    write_all_values,
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
    numbers = {proposal.resource_id: _write_resource(session, proposal, origin) for proposal in ordered}
    _write_rows(session, ordered, numbers)
    logged = [each for each in ordered if each.changes or each.action]
    write_changes(session, [_entry(each, numbers[each.resource_id], origin) for each in logged])
    claims.take_all(session, [(numbers[each.resource_id], wanted) for each in ordered for wanted in each.taken])
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


def _write_resource(session: Session, proposal: Proposal, origin: Origin) -> int:
    """The row of the resource is as proposed; its number."""
    new = NewState(
        document=orjson.dumps(proposal.after).decode(),
        display=display_of(proposal.after),
        active=proposal.after.get("active", True) is not False,
        at=origin.at,
    )
    if proposal.loaded is None:
        return insert_resource(session, proposal.resource_type.name, proposal.resource_id, new)
    if proposal.changes:
        update_resource(session, proposal.loaded.pk, new)
    return proposal.loaded.pk


def _write_rows(session: Session, proposals: Sequence[Proposal], numbers: Mapping[str, int]) -> None:
    """What belongs to the resources is written for all of them at once: that is half the price of one by one."""
    write_all_values(
        session,
        [(numbers[each.resource_id], *_changed_values(each)) for each in proposals if each.changes],
    )
    moved = [each for each in proposals if each.link_moves]
    write_links(session, [(each.resource_type.name, numbers[each.resource_id], each.link) for each in moved])
    for each in proposals:
        if not each.link_moves:
            write_told(session, each.link)
    anchored: defaultdict[int, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for each in proposals:
        if each.anchors:
            anchored[each.link.source_id][each.link.immutable_id] = each.anchors
    for source, anchors in anchored.items():
        write_all_anchors(session, source, anchors)


def _changed_values(proposal: Proposal) -> tuple[Iterable[IndexRow], Iterable[IndexRow]]:
    before, after = proposal.before, proposal.after
    return (
        index_rows(_that_differs(before, after), proposal.resource_type),
        index_rows(_that_differs(after, before), proposal.resource_type),
    )


def _that_differs(document: Document, other: Document) -> Document:
    """The attributes of the document that are not the same in the other."""
    return {name: value for name, value in document.items() if name not in other or other[name] != value}


def _action(changed: dict[str, tuple[Any, Any]]) -> str:
    if "active" in changed:
        return "reactivated" if changed["active"][1] else "deactivated"
    return "modified"


def _entry(proposal: Proposal, pk: int, origin: Origin) -> Mapping[str, Any]:
    """The entry of the change log: which attributes differ, with both values."""
    changed = proposal.changes
    return {
        "resource_pk": pk,
        "resource_id": proposal.resource_id,
        "type": proposal.resource_type.name,
        "action": "created" if proposal.loaded is None else proposal.action or _action(changed),
        "channel": origin.channel,
        "source_id": origin.source_id,
        "actor": origin.actor,
        "request_id": origin.request,
        "plan_id": origin.plan,
        "before": orjson.dumps({name: old for name, (old, _) in changed.items() if old is not None}).decode(),
        "after": orjson.dumps({name: new for name, (_, new) in changed.items() if new is not None}).decode(),
        "at": origin.at,
    }


def display_of(document: Document) -> str:
    """What a group shows of this member (and a user of this group): the display name, else the user name."""
    return str(document.get("displayName") or document.get("userName") or "")


def parse_stored(text: str) -> Document:
    """A stored document as a dictionary of its own."""
    return orjson.loads(text)  # type: ignore[no-any-return]  # stored documents are objects
