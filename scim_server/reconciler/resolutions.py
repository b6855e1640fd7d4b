"""Resolutions of duplicates: an administrator decides, a plan shows what follows, and apply carries it out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

import orjson

from scim_server.domain.attributes import flatten, unflatten
from scim_server.domain.correlate import Correlation, CorrelationOutcome
from scim_server.domain.errors import DomainError, NotFound
from scim_server.domain.identities import LinkOrigin, derive_user_id
from scim_server.domain.keys import EMAIL, USERNAME, UnusableValue, claims_of, ekey
from scim_server.domain.plan import Operation
from scim_server.domain.times import Clock, to_text
from scim_server.reconciler.composition import compose, in_schema_order
from scim_server.reconciler.desired import Desired, Surroundings, Unfit, desire
from scim_server.reconciler.holding import Hold, take_hold
from scim_server.reconciler.items import Row, resolution_row
from scim_server.reconciler.matching import Subject, gather
from scim_server.reconciler.outcome import store_outcome, summary_of
from scim_server.reconciler.pins import Pin, pin_link, pin_of
from scim_server.reconciler.proposals import Document
from scim_server.reconciler.runs import PlanSummary
from scim_server.reconciler.sources import PulledSource, load_source
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database, Session
from scim_server.store.identities import duplicates, plan_items, plans, retries, snapshots
from scim_server.store.identities.duplicates import StoredCase
from scim_server.store.identities.resources import Loaded


class Kind(StrEnum):
    """What an administrator may decide."""

    LINK = "link"
    MERGE = "merge"
    RENAME = "rename"
    RELEASE = "release"


class NotResolvable(DomainError):
    """The duplicate cannot be resolved in this way; the text says why and what can be done instead."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A decision over one duplicate.

    ``value`` is the new username or e-mail address of a rename, ``rename_holder`` whether the one who holds the value
    is renamed and not the one who wants it.
    """

    case_id: str
    kind: Kind
    value: str = ""
    rename_holder: bool = False


class Resolutions:
    """Plans that resolve duplicates; apply carries them out like any other."""

    def __init__(self, database: Database, registry_of: Callable[[int], SchemaRegistry], clock: Clock) -> None:
        self._database = database
        self._registry_of = registry_of
        self._clock = clock

    def dismiss(self, tenant: int, case_id: str, by: str) -> None:
        """The object stays withheld, counted apart, and is quiet until its value or the holder changes."""
        with self._database.writing(tenant) as session:
            _pending_case(session, case_id)
            duplicates.resolve_case(
                session, case_id, status="dismissed", how="dismiss", by=by, at=to_text(self._clock.now())
            )

    def plan(self, tenant: int, resolution: Resolution, actor: str) -> PlanSummary:
        """The plan that the resolution leads to, ready for its confirmation.

        Raises NotFound, NotResolvable and SourceBusy.
        """
        plan_id = str(uuid4())
        with self._database.writing(tenant) as session:
            case = _pending_case(session, resolution.case_id)
            source = load_source(session, case.source_id)
            rows = _Resolver(session, source, self._registry_of(tenant), case, self._clock).rows(resolution)
            hold = take_hold(self._database, self._clock, session, source.id, plan_id)
            self._store(session, hold, source, rows, actor)
        store_outcome(hold, source, {}, [])
        with self._database.reading(tenant) as session:
            return summary_of(session, plan_id)

    def _store(self, session: Session, hold: Hold, source: PulledSource, rows: Sequence[Row], actor: str) -> None:
        plans.start_plan(
            session,
            id=hold.plan,
            source_id=source.id,
            mode="resolution",
            actor=actor,
            config_hash=source.config_hash,
            mapping_hash=source.mapping_hash,
            cursor_before=source.stored.cursor,
            created_at=to_text(self._clock.now()),
        )
        plan_items.insert_items(session, hold.plan, rows)


def _pending_case(session: Session, case_id: str) -> StoredCase:
    case = duplicates.load_case(session, case_id)
    if case is None or case.status not in ("open", "dismissed"):
        raise NotFound("there is no such open duplicate")
    return case


class _Resolver:
    """One case with what is stored of its two sides."""

    def __init__(
        self, session: Session, source: PulledSource, registry: SchemaRegistry, case: StoredCase, clock: Clock
    ) -> None:
        self._session = session
        self._source = source
        self._registry = registry
        self._case = case
        self._at = to_text(clock.now())

    def rows(self, resolution: Resolution) -> list[Row]:
        """The items of the resolution. Raises NotResolvable."""
        if self._case.type != "User":
            raise NotResolvable("only users can be resolved so; rename the group in its directory")
        match resolution.kind:
            case Kind.LINK:
                return [self._link()]
            case Kind.MERGE:
                return self._merge()
            case Kind.RELEASE:
                return [self._release()]
            case Kind.RENAME:
                return [
                    self._rename_holder(resolution.value)
                    if resolution.rename_holder
                    else self._rename_incoming(resolution.value)
                ]

    def _row(self, number: int, subject: Subject | None, desired: Desired, how: str, **trace: Any) -> Row:
        resolves = {"case": self._case.id, "how": how}
        self._check_free(desired)
        return resolution_row(self._session, number, self._source.id, subject, desired, {"resolves": resolves, **trace})

    def _check_free(self, desired: Desired) -> None:
        """Raises NotResolvable where somebody else holds what the resolution needs."""
        found = snapshots.holders_among(self._session, [want.claim for want in desired.taken])
        other = next((holder for holder in found.values() if holder.id != desired.resource_id), None)
        if other is not None:
            raise NotResolvable(f'"{other.display}" holds a value that this would need')

    def _holder(self) -> Loaded:
        number = self._case.holder_pk
        loaded = snapshots.resources_of(self._session, [number]).get(number) if number else None
        if loaded is None or loaded.state != "live":
            raise NotResolvable("nobody holds the value any more; the next run clears this duplicate")
        return loaded

    def _subject(self) -> Subject:
        """The object that waits. Raises NotResolvable for a push: its client must ask again."""
        waiting = retries.load_retry(self._session, self._source.id, self._case.immutable_id)
        if waiting is None:
            raise NotResolvable("the object was pushed and its client will ask again: rename or release the holder")
        return gather(self._session, self._source, self._registry.user, [waiting], full_read=False)[0]

    def _around(self, subject: Subject) -> Surroundings:
        manager = subject.observation.manager
        found = snapshots.linked_resources(self._session, self._source.id, [manager]) if manager else {}
        return Surroundings(self._source, self._registry, found)

    def _desired(self, subject: Subject, resource_id: str) -> Desired:
        try:
            desired = desire(subject, resource_id, self._around(subject))
        except Unfit as unfit:
            raise NotResolvable(str(unfit)) from unfit
        if desired is None or not desired.op.writes:
            raise NotResolvable("the object is no longer there to import")
        return desired

    def _link(self) -> Row:
        """The object is the holder: attributes by authority."""
        holder, subject = self._holder(), self._subject()
        if subject.is_linked:
            raise NotResolvable("the object is linked to a user already; merge the two users instead")
        links = snapshots.links_of_resources(self._session, [holder.pk]).get(holder.pk, [])
        if any(link.source_id == self._source.id and link.state == "present" for link in links):
            raise NotResolvable("the one who holds the value is another object of this source")
        subject.loaded, subject.links = holder, links
        subject.held = snapshots.claims_of_resources(self._session, [holder.pk]).get(holder.pk, {})
        subject.correlation = Correlation(
            CorrelationOutcome.MATCHED, "An administrator linked the object to this user.", holder.id, "manual"
        )
        desired = self._desired(subject, holder.id)
        if desired.link is not None:
            desired.link = desired.link._replace(origin=LinkOrigin.MANUAL)
        return self._row(1, subject, desired, "link")

    def _rename_incoming(self, value: str) -> Row:
        """The object comes in under another username or address, which is pinned."""
        subject = self._subject()
        if subject.observation.attributes.get("userName") is None:
            raise NotResolvable("the object has no username")
        resource_id = subject.loaded.id if subject.loaded else derive_user_id(self._source.id, self._case.immutable_id)
        pin = self._pin(resource_id, subject.observation.attributes, value)
        subject.links = [*subject.links, pin_link(pin, self._at, self._pinned(subject.links, pin))]
        return self._row(1, subject, self._desired(subject, resource_id), "rename", pin=pin)

    def _rename_holder(self, value: str) -> Row:
        holder = self._holder()
        before = orjson.loads(holder.document)
        return self._pinned_row(holder, self._pin(holder.id, before, value), "rename")

    def _release(self) -> Row:
        """The value is taken off an inactive holder; a username is replaced by one that nobody else can have."""
        holder = self._holder()
        if holder.active:
            raise NotResolvable("the one who holds the value is active; rename it, or deactivate it first")
        before = orjson.loads(holder.document)
        values: dict[str, Any] = {}
        if self._case.ns == USERNAME or _spells(before["userName"], self._case.key):
            values["userName"] = f"released-{holder.id}"
        if self._case.ns == EMAIL or self._case.ns == USERNAME:
            values["emails"] = _without(before, self._case.key)
        return self._pinned_row(holder, pin_of(self._session, holder.id, values), "release")

    def _pin(self, resource_id: str, document: Mapping[str, Any], value: str) -> Pin:
        """The new value in the place of the one that is contested."""
        if not value.strip():
            raise NotResolvable("a rename needs the new value")
        if self._case.ns == USERNAME:
            values: dict[str, Any] = {"userName": value}
            others = _without(document, self._case.key)
            if others != (document.get("emails") or []):
                values["emails"] = others
            return pin_of(self._session, resource_id, values)
        primary = [{"value": value, "type": "work", "primary": True}]
        kept = [{**each, "primary": False} for each in _without(document, self._case.key)]
        values = {"emails": primary + kept}
        if _spells(str(document.get("userName")), self._case.key):
            values["userName"] = value
        return pin_of(self._session, resource_id, values)

    def _pinned(self, links: Sequence[Any], pin: Pin) -> Any:
        return next((link for link in links if link.source_id == pin["source"][0]), None)

    def _pinned_row(self, holder: Loaded, pin: Pin, how: str) -> Row:
        """The item that pins values of the holder."""
        links = snapshots.links_of_resources(self._session, [holder.pk]).get(holder.pk, [])
        link = pin_link(pin, self._at, self._pinned(links, pin))
        before: Document = orjson.loads(holder.document)
        flat = {**flatten(before), **{name: value or None for name, value in pin["values"].items()}}
        after = in_schema_order({"id": holder.id, **unflatten(flat)}, self._registry.user)
        desired = self._changed(holder, after, f"An administrator chose: {how}.")
        desired.link = link
        return self._row(1, None, desired, how)

    def _changed(self, loaded: Loaded, after: Document, reason: str) -> Desired:
        tenant = self._source.tenant
        try:
            wanted = claims_of(
                after, email_unique=tenant.email_unique, cross_login=tenant.cross_login, address_required=False
            )
        except UnusableValue as unusable:
            raise NotResolvable(str(unusable)) from unusable
        return Desired(
            op=Operation.UPDATE,
            word="modified",
            resource_id=loaded.id,
            base_version=loaded.version,
            before=orjson.loads(loaded.document),
            after=after,
            wanted=wanted,
            held=snapshots.claims_of_resources(self._session, [loaded.pk]).get(loaded.pk, {}),
            reasons=[reason],
        )

    def _merge(self) -> list[Row]:
        """The user that wants the value goes up in the one who holds it."""
        survivor = self._holder()
        number = self._case.resource_pk
        loser = snapshots.resources_of(self._session, [number]).get(number) if number else None
        if loser is None or loser.state != "live":
            raise NotResolvable("the object is no user yet; link it instead")
        links = snapshots.links_of_resources(self._session, [survivor.pk, loser.pk])
        mine, theirs = links.get(survivor.pk, []), links.get(loser.pk, [])
        both = {link.source_id for link in mine if link.state == "present"} & {
            link.source_id for link in theirs if link.state == "present"
        }
        if both:
            raise NotResolvable("both are objects of one source; correct them there")
        before = orjson.loads(survivor.document)
        document = compose(before, [*mine, *theirs], self._registry.user, blocked=bool(survivor.blocked))
        document["emails"] = _joined(_joined(list(document.get("emails") or []), before), orjson.loads(loser.document))
        after = in_schema_order({"id": survivor.id, **document}, self._registry.user)
        kept = self._changed(survivor, after, "An administrator merged another user into this one.")
        kept.link = (mine or theirs)[0]
        gone = Desired(
            op=Operation.DELETE,
            word="deleted",
            resource_id=loser.id,
            base_version=loser.version,
            before=orjson.loads(loser.document),
            link=theirs[0] if theirs else kept.link,
            held=snapshots.claims_of_resources(self._session, [loser.pk]).get(loser.pk, {}),
            reasons=["An administrator merged this user into the one who holds the value."],
        )
        rows = [
            resolution_row(self._session, 1, self._source.id, None, gone,
                           {"resolves": {"case": self._case.id, "how": "merge"}, "merged_into": survivor.id}),
            resolution_row(self._session, 2, self._source.id, None, kept,
                           {"resolves": {"case": self._case.id, "how": "merge"}}),
        ]  # fmt: skip
        return [{**row, "component": 1} for row in rows]


def _spells(user_name: str, key: str) -> bool:
    try:
        return ekey(user_name) == key
    except UnusableValue:
        return False


def _without(document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The addresses but the one with that key."""
    return [each for each in document.get("emails") or [] if not _spells(str(each.get("value")), key)]


def _joined(emails: list[dict[str, Any]], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The addresses with those of the other user, which are secondary."""
    known = {str(each.get("value")).casefold() for each in emails}
    more = [
        {name: value for name, value in each.items() if name != "primary"}
        for each in other.get("emails") or []
        if str(each.get("value")).casefold() not in known
    ]
    return emails + more
