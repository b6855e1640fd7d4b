"""Carrying out items: what was shown becomes rows, unless somebody has changed the same things meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from scim_server.domain.keys import Claim, Wanted
from scim_server.domain.plan import Operation
from scim_server.reconciler import departure
from scim_server.reconciler.desired import Desired, Surroundings, Unfit, desire, without_addresses
from scim_server.reconciler.door import parse_stored, write
from scim_server.reconciler.matching import gather
from scim_server.reconciler.merging import merge_into
from scim_server.reconciler.pins import write_pin
from scim_server.reconciler.proposals import Origin, Proposal
from scim_server.reconciler.references import store_references
from scim_server.reconciler.sources import PulledSource
from scim_server.reconciler.withheld import record
from scim_server.scim.registry import ResourceType, SchemaRegistry
from scim_server.store.engine import Session
from scim_server.store.identities import duplicates, references, retries, snapshots
from scim_server.store.identities.links import StoredLink
from scim_server.store.identities.plan_items import StoredItem
from scim_server.store.identities.resources import Loaded, revive
from scim_server.store.identities.staging import Staged

_ACTIONS = {
    Operation.ADD: "created",
    Operation.RESTORE: "restored",
    Operation.LINK: "linked",
    Operation.UNLINK: "unlinked",
}


class Drifted(Exception):
    """Somebody has changed what an item is about; the text says what."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Carries out items of one source within transactions that others open."""

    source: PulledSource
    registry: SchemaRegistry

    def carry_out(self, session: Session, items: Sequence[StoredItem], origin: Origin) -> None:
        """The items are the stored state, all of them. Raises Drifted and ClaimLost; then nothing of it may stay."""
        loaded = snapshots.lock_resources(session, [item.resource_id for item in items if item.resource_id])
        links = snapshots.links_of_objects(session, self.source.id, [item.immutable_id for item in items])
        owners = {each.pk for each in loaded.values()}
        all_links = snapshots.links_of_resources(session, owners) if owners else {}
        proposals = []
        for item in items:
            resource = loaded.get(item.resource_id or "")
            link, linked_pk = links.get(item.immutable_id, (None, None))
            _check_link(resource, link, linked_pk)
            decided = "resolves" in orjson.loads(item.trace)
            shared = resource is not None and len(all_links.get(resource.pk, ())) > 1 and not decided
            if item.op == Operation.DELETE:
                self._delete(session, item, resource, origin, shared=shared)
                continue
            proposals.append(self._proposal(session, item, resource, origin, shared=shared))
        numbers = write(session, proposals, origin)
        waiting = retries.waiting_among(session, self.source.id, [item.immutable_id for item in items])
        for item in items:
            self._settle(session, item, numbers.get(item.resource_id or ""), origin)
            if item.immutable_id in waiting and not _withholds(item):
                duplicates.clear_object(session, self.source.id, item.immutable_id, origin.at, origin.plan)
                retries.drop_retry(session, self.source.id, item.immutable_id)

    def type_of(self, item: StoredItem) -> ResourceType:
        return self.registry.group if item.kind == "Group" else self.registry.user

    def _delete(
        self, session: Session, item: StoredItem, loaded: Loaded | None, origin: Origin, *, shared: bool
    ) -> None:
        if loaded is None or loaded.state != "live":
            raise Drifted("The user is gone already.")
        if shared or loaded.version != item.base_version:
            self._derive_again(session, item)
        if merged := orjson.loads(item.trace).get("merged_into"):
            merge_into(session, loaded, merged)
        ended = None if merged else self._link(item)  # a merged user's links have gone to the survivor
        departure.end(session, loaded, self.type_of(item), origin, parse_stored(loaded.document), ended)
        references.forget_references(session, self.source.id, item.immutable_id)

    def _proposal(
        self, session: Session, item: StoredItem, loaded: Loaded | None, origin: Origin, *, shared: bool
    ) -> Proposal:
        after = orjson.loads(item.after or "{}")
        before: dict[str, Any] = {}
        dropped = [(Claim(ns, key), role) for ns, key, role in orjson.loads(item.claims_drop)]
        taken = [
            Wanted(Claim(ns, key), raw, role, attribute)
            for ns, key, role, raw, attribute in orjson.loads(item.claims_take)
        ]
        if loaded is None:
            if item.op != Operation.ADD:
                raise Drifted("The user or group is not there any more.")
        elif item.op == Operation.ADD:
            raise Drifted("A user or group with this id is there already.")
        elif (loaded.state == "live") != (item.op != Operation.RESTORE):
            raise Drifted("The user or group was deleted or restored meanwhile.")
        elif item.op != Operation.RESTORE:
            before = parse_stored(loaded.document)
            if shared or loaded.version != item.base_version:
                again = self._derive_again(session, item)
                dropped, taken = again.dropped, again.taken
        else:
            if loaded.version != item.base_version:
                raise Drifted("The tombstone was changed meanwhile.")
            revive(session, loaded.pk, loaded.type, origin.at)
        action = _ACTIONS.get(Operation(item.op), "")
        return Proposal(
            resource_type=self.type_of(item),
            resource_id=str(item.resource_id),
            loaded=loaded,
            before=before,
            after=after,
            link=self._link(item),
            wanted=taken,
            held=[Wanted(claim, "", role, "") for claim, role in dropped],
            anchors=orjson.loads(item.links).get("anchors", {}),
            action=action if loaded is not None else "",
        )

    def _link(self, item: StoredItem) -> StoredLink:
        stored: Mapping[str, Any] = orjson.loads(item.links)
        own = self.source.stored
        source_id, kind, rank = stored.get("source") or (own.id, own.kind, own.rank)
        return StoredLink(
            source_id=source_id,
            source_kind=kind,
            source_rank=rank,
            immutable_id=item.immutable_id,
            state=stored["state"],
            enabled=stored["enabled"],
            origin=stored["origin"],
            mapped=orjson.dumps(stored["mapped"]).decode(),
            times=orjson.dumps(stored["times"]).decode(),
            read_at=stored["read_at"],
            raw_hash=stored["raw_hash"],
            copied=stored["copied"],
        )

    def _derive_again(self, session: Session, item: StoredItem) -> Desired:
        """What the same observation leads to now; raises Drifted unless it is what the item shows."""
        told = orjson.loads(item.told)
        if "payload" not in told:
            raise Drifted("The user or group was changed meanwhile.")
        staged = Staged(
            item.kind,
            item.immutable_id,
            told["evidence"],
            "read",
            orjson.dumps(told["payload"]).decode(),
            told["hash"],
            told["read_at"],
        )
        subject = gather(session, self.source, self.registry.user, [staged], full_read=told["whole"])[0]
        manager = subject.observation.manager
        managers = snapshots.linked_resources(session, self.source.id, [manager]) if manager else {}
        try:
            desired = desire(subject, str(item.resource_id), Surroundings(self.source, self.registry, managers))
        except Unfit as unfit:
            raise Drifted("The user or group was changed meanwhile.") from unfit
        shown = orjson.loads(item.after) if item.after else None
        if desired is not None and desired.after is not None:
            missed = {(conflict["ns"], conflict["key"]) for conflict in orjson.loads(item.conflicts)}
            desired.after = without_addresses(desired.after, {key for _, key in missed})
            desired.wanted = [want for want in desired.wanted if (want.claim.ns, want.claim.key) not in missed]
        if desired is None or desired.op != item.op or desired.after != shown:
            raise Drifted("The user or group was changed meanwhile.")
        return desired

    def _settle(self, session: Session, item: StoredItem, number: int | None, origin: Origin) -> None:
        """What was told with the object, or decided over it, is stored as well."""
        told = orjson.loads(item.told)
        trace = orjson.loads(item.trace)
        if resolves := trace.get("resolves"):
            duplicates.resolve_case(
                session, resolves["case"], status="resolved", how=resolves["how"], by=origin.actor, at=origin.at,
                run=origin.plan,
            )  # fmt: skip
        if number is not None and trace.get("pin"):
            write_pin(session, number, item.kind, trace["pin"], origin.at)
        if number is not None:
            store_references(session, self.source.id, item, number, told.get("references", {}), origin)
        if item.conflicts != "[]":
            record(session, self.source.id, item, origin)  # it goes through without a value that another holds


def _withholds(item: StoredItem) -> bool:
    """Whether something of the object goes on waiting: a value that another holds, or what no item has read."""
    return item.conflicts != "[]" or item.told == "{}"


def _check_link(loaded: Loaded | None, link: StoredLink | None, linked_pk: int | None) -> None:
    """Raises Drifted where the object was linked to somebody else meanwhile."""
    if linked_pk is None or link is None:
        return
    if loaded is None or loaded.pk != linked_pk:
        raise Drifted("The object was linked to another user or group meanwhile.")
