"""The desired state of a resource: what its directory says of the object, and what all its sources say together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from scim_server.domain.attributes import differences, flatten, unflatten
from scim_server.domain.authority import Lifecycle, effective, lifecycle
from scim_server.domain.correlate import CorrelationOutcome
from scim_server.domain.identities import Link, LinkOrigin, SourceKind
from scim_server.domain.keys import Claim, UnusableValue, Wanted, claims_of, ekey, group_claims
from scim_server.domain.observations import Evidence, Kind
from scim_server.domain.plan import Operation
from scim_server.reconciler.composition import domain_link, in_schema_order, sources_of
from scim_server.reconciler.matching import Subject
from scim_server.reconciler.pins import is_pin
from scim_server.reconciler.proposals import Document
from scim_server.reconciler.sources import PulledSource
from scim_server.scim.dialects import Dialect
from scim_server.scim.errors import ScimError
from scim_server.scim.registry import ResourceType, SchemaRegistry
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.validate import validate_create
from scim_server.store.identities.links import StoredLink

MANAGER = f"{ENTERPRISE_URN}:manager"
_EMPTY: Mapping[str, Any] = {}


class Unfit(Exception):
    """What the directory says cannot be imported; the text says why, in words for an administrator."""


@dataclass(slots=True)
class Desired:
    """What shall become of one object's resource. ``after`` is None where nothing is left of it or nothing is done."""

    op: Operation
    word: str
    resource_id: str | None = None
    base_version: int | None = None
    before: Document | None = None
    after: Document | None = None
    link: StoredLink | None = None
    wanted: Sequence[Wanted] = ()
    held: Mapping[Claim, str] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    deferred: tuple[str, ...] = ()
    removal: bool = False
    proof: str = ""
    changed: tuple[str, ...] = ()

    @property
    def dropped(self) -> list[tuple[Claim, str]]:
        """Claims that are given up, those included that only change their role."""
        kept = {(want.claim, want.role) for want in self.wanted}
        return sorted((claim, role) for claim, role in self.held.items() if (claim, role) not in kept)

    @property
    def taken(self) -> list[Wanted]:
        return [want for want in self.wanted if self.held.get(want.claim) != want.role]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a batch is computed in: the schemas, the source, and where the managers it tells are found."""

    source: PulledSource
    registry: SchemaRegistry
    managers: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, subject: Subject) -> ResourceType:
        return self.registry.group if subject.observation.kind is Kind.GROUP else self.registry.user


def desire(subject: Subject, resource_id: str, around: Surroundings) -> Desired | None:
    """The desired state; None where the object asks for nothing. ``resource_id`` is that of a new resource.

    Raises Unfit where the object cannot be imported.
    """
    if subject.observation.evidence is Evidence.PRESENT:
        return _present(subject, resource_id, around)
    return _lost(subject, around)


def _present(subject: Subject, resource_id: str, around: Surroundings) -> Desired | None:
    if subject.observation.problem:
        raise Unfit(subject.observation.problem)
    loaded = subject.loaded
    mapped = _mapped(subject, around)
    link = _link(subject, around, mapped)
    others = [each for each in subject.links if not _is_same(each, link)]
    links = [*(domain_link(each) for each in others), _own(link, mapped, subject)]
    sources = {**sources_of(others), around.source.id: around.source.reference}
    kind = around.type_of(subject)
    blocked = bool(loaded and loaded.blocked)
    if lifecycle(links, sources) is Lifecycle.GONE:
        return _gone(subject, link, "The object is disabled, and this source deletes disabled users.")
    decided = effective(links, sources, admin_block=blocked)
    if decided.deferred:
        link = link._replace(raw_hash="")  # looked at again, until the pull is young enough to count
    before = orjson.loads(loaded.document) if loaded else None
    flat = {**_kept(before, others, subject, mapped), **decided.attributes}
    if subject.observation.kind is Kind.USER:
        flat["active"] = decided.active if decided.active is not None else (before or _EMPTY).get("active", True)
    after = in_schema_order({"id": loaded.id if loaded else resource_id, **unflatten(flat)}, kind)
    wanted = _claims(after, subject, around)
    desired = Desired(
        op=Operation.UPDATE,
        word="unchanged",
        resource_id=after["id"],
        base_version=loaded.version if loaded else None,
        before=before,
        after=after,
        link=link,
        wanted=wanted,
        held=subject.held,
        deferred=tuple(sorted(decided.deferred)),
    )
    _classify(desired, subject)
    if desired.op is Operation.ADD and not around.source.policy.may_create:
        return Desired(Operation.OUT_OF_SCOPE, "out_of_scope", reasons=["This source may not create users."])
    return desired


def _classify(desired: Desired, subject: Subject) -> None:
    """The operation, how it counts, and the reason in words."""
    loaded, before, after = subject.loaded, desired.before, desired.after
    if loaded is None or before is None or after is None:
        _set(desired, Operation.ADD, "added", "New in the directory.")
        return
    if loaded.state != "live":
        _set(desired, Operation.RESTORE, "restored", "The same object is back in the directory.")
        return
    changed = differences(before, after, canonical=True)
    if not changed:
        desired.after = before
    desired.changed = tuple(changed)
    was, is_now = before.get("active", True), after.get("active", True)
    if not subject.is_linked or (subject.link is not None and subject.link.state != "present"):
        _set(desired, Operation.LINK, "linked", subject.correlation.reason or "The object is back in scope.")
    if was and not is_now:
        _set(desired, Operation.DEACTIVATE, "deactivated", _why_inactive(subject))
        desired.removal = True
    elif is_now and not was:
        _set(desired, Operation.REACTIVATE, "reactivated", "The object is enabled again.")
    elif changed and desired.op is Operation.UPDATE:
        _set(desired, Operation.UPDATE, "modified", f"The directory has other values: {', '.join(sorted(changed))}.")


def _set(desired: Desired, op: Operation, word: str, reason: str) -> None:
    desired.op, desired.word = op, word
    desired.reasons.append(reason)


def _why_inactive(subject: Subject) -> str:
    disabled = subject.observation.enabled is False
    return "The object is disabled in the directory." if disabled else "Another source keeps the user inactive."


def _lost(subject: Subject, around: Surroundings) -> Desired | None:
    """What follows when the object is deleted or out of scope."""
    loaded, own, observation = subject.loaded, subject.link, subject.observation
    if own is None or not subject.is_linked:
        return Desired(Operation.OUT_OF_SCOPE, "out_of_scope", reasons=["The object is no longer there to import."])
    state = "out_of_scope" if observation.evidence is Evidence.OUT_OF_SCOPE else "deleted"
    if loaded is None or loaded.state != "live" or own.state == state:
        return None
    link = own._replace(state=state, read_at=subject.staged.read_at, raw_hash="")
    others = [each for each in subject.links if not _is_same(each, link)]
    links = [*(domain_link(each) for each in others), domain_link(link)]
    sources = {**sources_of(others), around.source.id: around.source.reference}
    reason = "The object has left the scope." if state == "out_of_scope" else "The object was deleted in the directory."
    fate = lifecycle(links, sources)
    if fate is Lifecycle.GONE:
        return _gone(subject, link, reason)
    before = orjson.loads(loaded.document)
    present = [each for each in links if each.is_present]
    decided = effective(links, sources, admin_block=bool(loaded.blocked))
    flat = {**flatten(before), **decided.attributes} if present else flatten(before)
    if loaded.type == "User" and (decided.active is False or fate is Lifecycle.INACTIVE):
        flat["active"] = False
    after = in_schema_order({"id": loaded.id, **unflatten(flat)}, around.type_of(subject))
    desired = Desired(
        op=Operation.UNLINK,
        word="unlinked",
        resource_id=loaded.id,
        base_version=loaded.version,
        before=before,
        after=after,
        link=link,
        wanted=_claims(after, subject, around),
        held=subject.held,
        reasons=[reason],
        removal=all(is_pin(each) for each in others if each.state == "present"),
        proof=_proof(subject),
    )
    if before.get("active", True) and after.get("active", True) is False:
        desired.op, desired.word, desired.removal = Operation.DEACTIVATE, "deactivated", True
    changed = differences(before, after, canonical=True)
    if not changed:
        desired.after = before
    desired.changed = tuple(changed)
    return desired


def _gone(subject: Subject, link: StoredLink, reason: str) -> Desired | None:
    loaded = subject.loaded
    if loaded is None or loaded.state != "live":
        return None
    return Desired(
        op=Operation.DELETE,
        word="deleted",
        resource_id=loaded.id,
        base_version=loaded.version,
        before=orjson.loads(loaded.document),
        link=link,
        held=subject.held,
        reasons=[reason],
        removal=True,
        proof=_proof(subject),
    )


def _proof(subject: Subject) -> str:
    """What was read of the object that is gone; empty where it is there and not imported for another reason."""
    evidence = str(orjson.loads(subject.staged.payload)["evidence"])
    return "" if evidence == Evidence.PRESENT else evidence


def _link(subject: Subject, around: Surroundings, mapped: Mapping[str, Any]) -> StoredLink:
    """The source's link as it will be."""
    source, observation, own = around.source, subject.observation, subject.link
    return StoredLink(
        source_id=source.id,
        source_kind=source.stored.kind,
        source_rank=source.stored.rank,
        immutable_id=observation.immutable_id,
        state="present",
        enabled=observation.enabled,
        origin=own.origin if own is not None and subject.is_linked else _origin(subject),
        mapped=orjson.dumps(mapped).decode(),
        times="{}",
        read_at=subject.staged.read_at,
        raw_hash=subject.staged.hash,
        copied="ad_guid" in observation.anchors if source.reference.kind == SourceKind.ENTRA else None,
        source_settings=source.stored.settings,
    )


def _origin(subject: Subject) -> str:
    if subject.correlation.outcome is not CorrelationOutcome.MATCHED:
        return LinkOrigin.CREATED
    return LinkOrigin.ANCHOR if "anchor" in subject.correlation.reason else LinkOrigin.STRONG


def _own(link: StoredLink, mapped: Mapping[str, Any], subject: Subject) -> Link:
    return Link(
        source_id=link.source_id,
        immutable_id=link.immutable_id,
        enabled=link.enabled,
        mapped=mapped,
        read_at=subject.observation.read_at,
        origin=link.origin,
        copied=link.copied,
    )


def _is_same(one: StoredLink, other: StoredLink) -> bool:
    return one.source_id == other.source_id and one.immutable_id == other.immutable_id


def _mapped(subject: Subject, around: Surroundings) -> dict[str, Any]:
    """What the source now says, flat and canonical; None = has no value. Raises Unfit."""
    observation = subject.observation
    old: dict[str, Any] = orjson.loads(subject.link.mapped) if subject.link else {}
    told = flatten(observation.attributes)
    told.pop("active", None)
    said = told if subject.whole else {**_outlived(old, observation.attributes), **told}
    manager = said.pop(MANAGER, None)
    values = {name: value for name, value in said.items() if value is not None}
    try:
        document = validate_create(unflatten(values), around.type_of(subject), Dialect())
    except ScimError as error:
        raise Unfit(error.detail) from error
    mapped = {**dict.fromkeys(name for name, value in said.items() if value is None), **flatten(document)}
    if observation.manager_known:
        found = around.managers.get(observation.manager or "")
        mapped[MANAGER] = {"value": found} if found else None
    elif manager is not None or MANAGER in old:
        mapped[MANAGER] = old.get(MANAGER)
    return mapped


def _outlived(old: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What was told earlier of attributes that are not told now; "name has no value" covers "name.givenName"."""
    voided = tuple(f"{name}{mark}" for name, value in told.items() if value is None for mark in ".:")
    return {name: value for name, value in old.items() if not (voided and name.startswith(voided))}


def _kept(
    before: Document | None, others: Sequence[StoredLink], subject: Subject, mapped: Mapping[str, Any]
) -> dict[str, Any]:
    """Attributes that nobody tells any more, because whoever told them has left: they stay as they are."""
    if before is None:
        return {}
    told = set(mapped)
    if subject.link is not None:
        told |= set(orjson.loads(subject.link.mapped))
    for other in others:
        if other.state == "present":
            told |= set(orjson.loads(other.mapped))
    return {name: value for name, value in flatten(before).items() if name not in told}


def _claims(after: Document, subject: Subject, around: Surroundings) -> list[Wanted]:
    tenant = around.source.tenant
    try:
        if subject.observation.kind is Kind.GROUP:
            return group_claims(after, unique=tenant.group_name_unique)
        return claims_of(
            after,
            email_unique=tenant.email_unique,
            cross_login=tenant.cross_login,
            address_required=len(subject.links) <= 1 and subject.observation.evidence is Evidence.PRESENT,
        )
    except UnusableValue as error:
        raise Unfit(str(error)) from error


def without_addresses(document: Document, keys: Collection[str]) -> Document:
    """The document without the e-mail addresses that have one of these keys."""
    kept = [each for each in document.get("emails", ()) if _key(each.get("value")) not in keys]
    rest = {name: value for name, value in document.items() if name != "emails"}
    return {name: kept if name == "emails" else value for name, value in document.items()} if kept else rest


def _key(address: object) -> str | None:
    try:
        return ekey(str(address))
    except UnusableValue:
        return None
