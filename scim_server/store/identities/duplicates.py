"""The register of duplicates: objects withheld because another holds their value."""

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Insert, bindparam, case, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.domain.keys import Claim
from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import duplicates

_PENDING = text("status IN ('open', 'dismissed')")  # word for word as the partial index has it


@dataclass(frozen=True, slots=True)
class Case:
    """One object that wanted one value; ``pk`` is its own resource where it already has one."""

    source: int
    immutable_id: str
    resource_type: str
    pk: int | None
    claim: Claim
    raw: str
    kind: str
    holder: int | None
    channel: str
    mapped: str
    at: str
    run: str | None = None
    holder_object: str | None = None


class Refusal(NamedTuple):
    """What a client asked at ``at`` for an existing resource and did not get; ``mapped`` is JSON text of the change."""

    pk: int
    mapped: str
    at: str


_NAMES = (
    "tenant_id", "id", "source_id", "immutable_id", "type", "resource_pk", "ns", "key", "raw", "kind", "holder_pk",
    "holder_object", "channel", "mapped", "first_run", "last_run", "first_at", "last_at",
)  # fmt: skip
_RENEWED = ("last_at", "last_run", "raw", "kind", "holder_pk", "holder_object", "mapped")


def _upsert(dialect: str) -> Insert:
    values: dict[str, Any] = {name: bindparam(name) for name in _NAMES}
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(duplicates)
    insert = insert.values(values | {"status": "open", "seen": 1})
    other_holder = duplicates.c.holder_pk.is_distinct_from(insert.excluded.holder_pk)
    fresh = {name: insert.excluded[name] for name in _RENEWED} | {
        "seen": duplicates.c.seen + 1,
        "status": case((other_holder, "open"), else_=duplicates.c.status),
    }
    return insert.on_conflict_do_update(
        index_elements=["tenant_id", "source_id", "immutable_id", "ns", "key"],
        index_where=text("status IN ('open', 'dismissed')"),
        set_=fresh,
    )


_WRITE = Statement(_upsert)
_REFUSALS = Statement(
    select(duplicates.c.resource_pk, duplicates.c.mapped, duplicates.c.last_at)
    .where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.ns == bindparam("of_ns"),
        duplicates.c.key == bindparam("of_key"),
        duplicates.c.source_id == bindparam("source"),
        duplicates.c.status == "open",
        duplicates.c.channel == "push",
        duplicates.c.resource_pk.is_not(None),
    )
    .order_by(duplicates.c.last_at)
)
_CLEAR_OBJECT = Statement(
    update(duplicates)
    .where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.source_id == bindparam("source"),
        duplicates.c.immutable_id == bindparam("object"),
        _PENDING,
    )
    .values(status="cleared", last_at=bindparam("at"), last_run=func.coalesce(bindparam("run"), duplicates.c.last_run))
)
_CLEAR_OTHERS = Statement(
    update(duplicates)
    .where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.source_id == bindparam("source"),
        duplicates.c.immutable_id == bindparam("object"),
        duplicates.c.last_run.is_distinct_from(bindparam("run")),
        _PENDING,
    )
    .values(status="cleared", last_at=bindparam("at"), last_run=bindparam("run"))
)
_DISMISSED = Statement(
    select(duplicates.c.ns, duplicates.c.key, duplicates.c.holder_pk).where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.source_id == bindparam("source"),
        duplicates.c.immutable_id == bindparam("object"),
        duplicates.c.status == "dismissed",
    )
)
_PASS_ON = Statement(
    update(duplicates)
    .where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.ns == bindparam("of_ns"),
        duplicates.c.key == bindparam("of_key"),
        _PENDING,
    )
    .values(holder_pk=bindparam("holder"))
)
_CLEAR_KEY = Statement(
    update(duplicates)
    .where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.ns == bindparam("of_ns"),
        duplicates.c.key == bindparam("of_key"),
        duplicates.c.channel == "push",
        _PENDING,
    )
    .values(status="cleared", last_at=bindparam("at"))
)


def write_case(session: Session, case: Case) -> None:
    """The case is open, or, where it was open already, counts as seen once more; so does a dismissed one, which stays
    dismissed while the holder is the same."""
    session.run(
        _WRITE,
        id=str(uuid4()),
        source_id=case.source,
        immutable_id=case.immutable_id,
        type=case.resource_type,
        resource_pk=case.pk,
        ns=case.claim.ns,
        key=case.claim.key,
        raw=case.raw,
        kind=case.kind,
        holder_pk=case.holder,
        channel=case.channel,
        mapped=case.mapped,
        holder_object=case.holder_object,
        first_run=case.run,
        last_run=case.run,
        first_at=case.at,
        last_at=case.at,
    )


def refusals_of(session: Session, source: int, claim: Claim) -> list[Refusal]:
    """What this client was refused, for resources that exist, because of this claim; oldest first."""
    rows = session.all(_REFUSALS, source=source, of_ns=claim.ns, of_key=claim.key)
    return [Refusal._make(row) for row in rows]


class StoredCase(NamedTuple):
    """A case as it lies, with the numbers of the resources; ``mapped`` is JSON text."""

    id: str
    source_id: int
    immutable_id: str
    type: str
    resource_pk: int | None
    ns: str
    key: str
    raw: str
    kind: str
    holder_pk: int | None
    channel: str
    status: str


_CASE = Statement(
    select(*(duplicates.c[name] for name in StoredCase._fields)).where(
        duplicates.c.tenant_id == bindparam("tenant"), duplicates.c.id == bindparam("case")
    )
)
_RESOLVE = Statement(
    update(duplicates)
    .where(duplicates.c.tenant_id == bindparam("tenant"), duplicates.c.id == bindparam("case"), _PENDING)
    .values(
        status=bindparam("new_status"),
        resolution=bindparam("how"),
        resolved_by=bindparam("by"),
        last_at=bindparam("at"),
        last_run=func.coalesce(bindparam("run"), duplicates.c.last_run),
    )
)


def load_case(session: Session, case_id: str) -> StoredCase | None:
    """The case of that id."""
    row = session.one(_CASE, case=case_id)
    return StoredCase._make(row) if row else None


def resolve_case(
    session: Session, case_id: str, *, status: str, how: str, by: str, at: str, run: str | None = None
) -> None:
    """An administrator has decided over the case, if it was pending."""
    session.run(_RESOLVE, case=case_id, new_status=status, how=how, by=by, at=at, run=run)


def dismissed_cases(session: Session, source: int, immutable_id: str) -> set[tuple[str, str, int | None]]:
    """(namespace, key, holder) of the object's conflicts that an administrator dismissed."""
    return {(row[0], row[1], row[2]) for row in session.all(_DISMISSED, source=source, object=immutable_id)}


def clear_object(session: Session, source: int, immutable_id: str, at: str, run: str | None = None) -> None:
    """The object's conflicts are over: it got what it wanted, or wants something else."""
    session.run(_CLEAR_OBJECT, source=source, object=immutable_id, at=at, run=run)


def clear_others(session: Session, source: int, immutable_id: str, at: str, run: str) -> None:
    """Of the object's conflicts only those that this run has seen go on."""
    session.run(_CLEAR_OTHERS, source=source, object=immutable_id, at=at, run=run)


def clear_key(session: Session, claim: Claim, at: str) -> None:
    """Nobody is refused this value any more: it is free. (A pulled object is retried by its next run instead.)"""
    session.run(_CLEAR_KEY, of_ns=claim.ns, of_key=claim.key, at=at)


def pass_on(session: Session, claim: Claim, holder: int) -> None:
    """The value has gone from one resource to another: whoever still waits for it now waits for that one."""
    session.run(_PASS_ON, of_ns=claim.ns, of_key=claim.key, holder=holder)
