"""The register of duplicates: objects withheld because another holds their value."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import bindparam, insert, or_, select, update

from scim_server.domain.keys import Claim
from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import duplicates

_PENDING = or_(duplicates.c.status == "open", duplicates.c.status == "dismissed")


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


class Refusal(NamedTuple):
    """What a client once asked for an existing resource and did not get; ``mapped`` is JSON text of the change."""

    pk: int
    mapped: str


_SEEN_AGAIN = Statement(
    update(duplicates)
    .where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.source_id == bindparam("source"),
        duplicates.c.immutable_id == bindparam("object"),
        duplicates.c.ns == bindparam("of_ns"),
        duplicates.c.key == bindparam("of_key"),
        _PENDING,
    )
    .values(
        seen=duplicates.c.seen + 1,
        last_at=bindparam("at"),
        raw=bindparam("spelling"),
        kind=bindparam("of_kind"),
        holder_pk=bindparam("holder"),
        mapped=bindparam("snapshot"),
    )
)
_NAMES = (
    "tenant_id", "id", "source_id", "immutable_id", "type", "resource_pk", "ns", "key", "raw", "kind", "holder_pk",
    "channel", "mapped", "first_at", "last_at",
)  # fmt: skip
_INSERT = Statement(
    insert(duplicates).values({name: bindparam(name) for name in _NAMES} | {"status": "open", "seen": 1})
)
_REFUSALS = Statement(
    select(duplicates.c.resource_pk, duplicates.c.mapped)
    .where(
        duplicates.c.tenant_id == bindparam("tenant"),
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
    .values(status="cleared", last_at=bindparam("at"))
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
    """The case is open, or, where it was open or dismissed already, counts as seen once more."""
    again = session.run(
        _SEEN_AGAIN,
        source=case.source,
        object=case.immutable_id,
        of_ns=case.claim.ns,
        of_key=case.claim.key,
        at=case.at,
        spelling=case.raw,
        of_kind=case.kind,
        holder=case.holder,
        snapshot=case.mapped,
    )
    if again:
        return
    session.run(
        _INSERT,
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
        first_at=case.at,
        last_at=case.at,
    )


def refusals_of(session: Session, source: int) -> list[Refusal]:
    """What this client was refused for resources that exist, oldest first."""
    return [Refusal._make(row) for row in session.all(_REFUSALS, source=source)]


def clear_object(session: Session, source: int, immutable_id: str, at: str) -> None:
    """The object's conflicts are over: it got what it wanted, or wants something else."""
    session.run(_CLEAR_OBJECT, source=source, object=immutable_id, at=at)


def clear_key(session: Session, claim: Claim, at: str) -> None:
    """Nobody is refused this value any more: it is free. (A pulled object is retried by its next run instead.)"""
    session.run(_CLEAR_KEY, of_ns=claim.ns, of_key=claim.key, at=at)
