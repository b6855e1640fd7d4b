"""Plan items as they are stored: what happens to whom, why, and everything that apply needs for it."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from scim_server.domain.keys import EMAIL, USERNAME, Claim, Wanted
from scim_server.domain.observations import Evidence, Kind
from scim_server.domain.plan import Operation
from scim_server.reconciler.desired import Desired
from scim_server.reconciler.matching import INFORMATION_ONLY, Subject
from scim_server.store.engine import Session
from scim_server.store.identities.links import StoredLink
from scim_server.store.identities.plan_items import SILENT, WRITING_GROUPS, WRITING_USERS
from scim_server.store.identities.references import MEMBER, targets_of

Row = dict[str, Any]


def item_row(session: Session, seq: int, source_id: int, subject: Subject, desired: Desired) -> Row:
    """The row of an item that decides over the object as ``desired`` says."""
    references = _references(session, source_id, subject, desired)
    word = desired.word
    if word == "unchanged" and MEMBER in references and any(references[MEMBER].values()):
        word = "modified"
        desired.reasons.append(_members_reason(references[MEMBER]))
    return {
        **_identity(seq, source_id, subject),
        **_decided(desired),
        "phase": _phase(desired, subject),
        "word": word,
        "display": _display(desired.after or desired.before or {}, subject),
        "links": dump(_link(desired.link, subject)) if desired.link is not None else "{}",
        "told": _told(subject, references),
        "reasons": dump(desired.reasons),
        "trace": dump(_trace(subject, desired)),
    }


def _decided(desired: Desired) -> Row:
    """The columns that follow from the desired state alone."""
    dropped, taken = desired.dropped, desired.taken
    return {
        "op": desired.op.value,
        "resource_id": desired.resource_id,
        "base_version": desired.base_version,
        "before": dump(desired.before) if desired.before is not None else None,
        "after": dump(desired.after) if desired.after is not None else None,
        "claims_drop": dump([[claim.ns, claim.key, role] for claim, role in dropped]),
        "claims_take": dump([[want.claim.ns, want.claim.key, want.role, want.raw, want.attribute] for want in taken]),
        "deferred": dump(desired.deferred),
        "removal": desired.removal,
        "renames": _renames([claim for claim, _ in dropped], taken),
        "proof": desired.proof,
    }


def resolution_row(
    session: Session, seq: int, source_id: int, subject: Subject | None, desired: Desired, trace: Mapping[str, Any]
) -> Row:
    """The row of an item that an administrator's decision leads to; without ``subject`` no object was read for it."""
    if subject is not None:
        row = item_row(session, seq, source_id, subject, desired)
        return {**row, "trace": dump({**orjson.loads(row["trace"]), **trace})}
    link = desired.link
    return {
        **_BLANK,
        **_decided(desired),
        "seq": seq,
        "component": seq,
        "kind": Kind.USER.value,
        "source_id": source_id,
        "immutable_id": link.immutable_id if link else str(desired.resource_id),
        "display": str((desired.after or desired.before or {}).get("userName", "")),
        "phase": WRITING_USERS,
        "word": desired.word,
        "links": dump({**_link_fields(link), "source": [link.source_id, link.source_kind, link.source_rank]})
        if link
        else "{}",
        "told": "{}",
        "reasons": dump(desired.reasons),
        "trace": dump(trace),
    }


def error_row(seq: int, source_id: int, subject: Subject, reason: str) -> Row:
    """The row of an item for an object that cannot be imported."""
    return _silent(seq, source_id, subject, Operation.ERROR, "errors", reason)


def disputed_row(seq: int, source_id: int, subject: Subject) -> Row:
    """The row of an item for an object whose anchors or strong keys do not name exactly one free user."""
    correlation = subject.correlation
    conflict = {
        "ns": "identity",
        "key": correlation.by,
        "raw": correlation.by,
        "role": "primary",
        "attribute": correlation.by,
        "kind": "disputed",
        "witness": correlation.candidates[0] if correlation.candidates else None,
    }
    row = _silent(seq, source_id, subject, Operation.DUPLICATE, "duplicated", correlation.reason)
    return {**row, "conflicts": dump([conflict])}


def unreadable_row(seq: int, source_id: int, kind: str, immutable_id: str) -> Row:
    """The row of an item for a linked object that a complete read did not tell and that cannot be looked up."""
    reason = "The object was not among those read, and it could not be looked up; nothing is done to it."
    return {
        **_BLANK,
        "seq": seq,
        "component": seq,
        "kind": kind,
        "source_id": source_id,
        "immutable_id": immutable_id,
        "display": immutable_id,
        "phase": SILENT,
        "op": Operation.ERROR.value,
        "word": "errors",
        "told": "{}",
        "reasons": dump([reason]),
    }


def _silent(seq: int, source_id: int, subject: Subject, op: Operation, word: str, reason: str) -> Row:
    loaded = subject.loaded
    return {
        **_identity(seq, source_id, subject),
        "phase": SILENT,
        "op": op.value,
        "word": word,
        "resource_id": loaded.id if loaded else None,
        "base_version": loaded.version if loaded else None,
        "before": loaded.document if loaded else None,
        "display": _display(subject.observation.attributes, subject),
        "told": _told(subject, {}),
        "reasons": dump([reason]),
        "trace": dump(_trace(subject, None)),
    }


_BLANK: Mapping[str, Any] = {
    "resource_id": None,
    "base_version": None,
    "before": None,
    "after": None,
    "links": "{}",
    "claims_drop": "[]",
    "claims_take": "[]",
    "conflicts": "[]",
    "deferred": "[]",
    "removal": False,
    "renames": False,
    "proof": "",
    "trace": "{}",
    "status": "pending",
}


def _identity(seq: int, source_id: int, subject: Subject) -> Row:
    return {
        **_BLANK,
        "seq": seq,
        "component": seq,
        "kind": subject.staged.kind,
        "source_id": source_id,
        "immutable_id": subject.staged.immutable_id,
    }


def _phase(desired: Desired, subject: Subject) -> int:
    if not desired.op.writes:
        return SILENT
    return WRITING_GROUPS if subject.observation.kind is Kind.GROUP else WRITING_USERS


def _display(document: Mapping[str, Any], subject: Subject) -> str:
    name = str(document.get("userName") or document.get("displayName") or subject.staged.immutable_id)
    return name.replace("\0", "")  # PostgreSQL stores no NUL in text


def _link(link: StoredLink, subject: Subject) -> dict[str, Any]:
    anchors = {kind: value for kind, value in subject.observation.anchors.items() if value}
    return {**_link_fields(link), "anchors": anchors if link.state == "present" else {}}


def _link_fields(link: StoredLink) -> dict[str, Any]:
    return {
        "state": link.state,
        "enabled": link.enabled,
        "origin": link.origin,
        "mapped": orjson.Fragment(link.mapped),
        "times": orjson.Fragment(link.times),
        "read_at": link.read_at,
        "raw_hash": link.raw_hash,
        "copied": link.copied,
    }


def _told(subject: Subject, references: Mapping[str, Any]) -> str:
    staged = subject.staged
    return dump(
        {
            "payload": orjson.Fragment(staged.payload),
            "hash": staged.hash,
            "read_at": staged.read_at,
            "evidence": subject.observation.evidence.value,
            "whole": subject.whole,
            "references": references,
        }
    )


def _references(session: Session, source_id: int, subject: Subject, desired: Desired) -> dict[str, Any]:
    """What changes in the members and the manager that the source tells, by immutable ids."""
    observation = subject.observation
    if observation.evidence is not Evidence.PRESENT or not desired.op.writes:
        return {}
    references: dict[str, Any] = {}
    if observation.kind is Kind.GROUP:
        old = targets_of(session, source_id, observation.immutable_id, MEMBER)
        references[MEMBER] = _member_changes(subject, old)
    elif observation.manager_known and (observation.manager or subject.is_linked):
        references["manager"] = observation.manager
    return references


def _member_changes(subject: Subject, old: set[str]) -> dict[str, list[str]]:
    observation = subject.observation
    if observation.members is not None:
        new = {member.immutable_id for member in observation.members}
        return {"add": sorted(new - old), "remove": sorted(old - new)}
    changes = observation.member_changes
    added = {id_ for id_, is_member in changes.items() if is_member}
    return {"add": sorted(added - old), "remove": sorted((changes.keys() - added) & old)}


def _members_reason(changes: Mapping[str, list[str]]) -> str:
    return f"The directory has other members: {len(changes['add'])} more, {len(changes['remove'])} fewer."


def _renames(dropped: Iterable[Claim], taken: Iterable[Wanted]) -> bool:
    primary = {want.claim.ns for want in taken if want.role == "primary"}
    return bool(primary & {claim.ns for claim in dropped} & {USERNAME, EMAIL})


def _trace(subject: Subject, desired: Desired | None) -> dict[str, Any]:
    """The way to the decision, step by step."""
    staged, correlation = subject.staged, subject.correlation
    return {
        "read": {"origin": staged.origin, "at": staged.read_at, "evidence": staged.evidence},
        "match": {"outcome": correlation.outcome.value, "by": correlation.by, "reason": correlation.reason},
        "anchors": sorted(kind for kind in subject.observation.anchors if kind not in INFORMATION_ONLY),
        "difference": sorted(desired.changed) if desired else [],
    }


def dump(value: Any) -> str:
    """JSON text."""
    return orjson.dumps(value).decode()
