"""Claims: the only place of uniqueness. Taking one is an insert that a taken key turns away."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, select, union_all

from scim_server.domain.keys import NORM_VERSION, Claim, Wanted
from scim_server.store.engine import Row, Session
from scim_server.store.statements import Statement, insert_unless_there
from scim_server.store.tables.identities import claims, resources

_BATCH = 4  # a user rarely has more claims; a fixed number keeps one prepared statement


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a claim: the resource, how it came by it, and whether it is active."""

    claim: Claim
    pk: int
    id: str
    role: str
    active: bool
    display: str


def _holder_of(number: int) -> Select[Any]:
    return (
        select(
            claims.c.ns,
            claims.c.key,
            claims.c.resource_pk,
            resources.c.id,
            claims.c.role,
            resources.c.active,
            resources.c.display,
        )
        .join(resources, and_(resources.c.pk == claims.c.resource_pk, resources.c.tenant_id == bindparam("tenant")))
        .where(
            claims.c.tenant_id == bindparam("tenant"),
            claims.c.ns == bindparam(f"ns{number}"),
            claims.c.key == bindparam(f"key{number}"),
        )
    )


# Not one OR over all of them: SQLite would walk the claims of the tenant.
_HOLDERS = Statement(union_all(*(_holder_of(number) for number in range(_BATCH))))
_WITNESS = Statement(
    select(claims.c.resource_pk)
    .where(
        claims.c.tenant_id == bindparam("tenant"),
        claims.c.ns == bindparam("of_ns"),
        claims.c.key == bindparam("of_key"),
    )
    .with_for_update(read=True)
)
_HELD = Statement(
    select(claims.c.ns, claims.c.key).where(
        claims.c.tenant_id == bindparam("tenant"), claims.c.resource_pk == bindparam("pk")
    )
)
_ALL_HELD = Statement(
    select(claims.c.resource_pk, claims.c.ns, claims.c.key, claims.c.role).where(
        claims.c.tenant_id == bindparam("tenant")
    )
)
_LIVE_DOCUMENTS = Statement(
    select(resources.c.pk, resources.c.type, resources.c.id, resources.c.document).where(
        resources.c.tenant_id == bindparam("tenant"), resources.c.state == "live"
    )
)
_TAKE = insert_unless_there(claims)
_DROP = Statement(
    delete(claims).where(
        claims.c.tenant_id == bindparam("tenant"),
        claims.c.ns == bindparam("of_ns"),
        claims.c.key == bindparam("of_key"),
        claims.c.resource_pk == bindparam("pk"),
    )
)
_DROP_ALL = Statement(
    delete(claims).where(claims.c.tenant_id == bindparam("tenant"), claims.c.resource_pk == bindparam("pk"))
)


class ClaimLost(Exception):
    """Another transaction took a claim between the look and the insert; the unit of work must start again."""


def holders(session: Session, wanted: Collection[Claim]) -> dict[Claim, Holder]:
    """Who holds each of these claims now; free ones are left out."""
    found: dict[Claim, Holder] = {}
    listed = list(wanted)
    for start in range(0, len(listed), _BATCH):
        batch = listed[start : start + _BATCH]
        padded = batch + [batch[0]] * (_BATCH - len(batch))
        values = {f"ns{number}": claim.ns for number, claim in enumerate(padded)}
        values |= {f"key{number}": claim.key for number, claim in enumerate(padded)}
        for ns, key, pk, resource_id, role, active, display in session.all(_HOLDERS, **values):
            claim = Claim(ns, key)
            found[claim] = Holder(claim, pk, resource_id, role, bool(active), display)
    return found


def witness(session: Session, claim: Claim) -> int | None:
    """The number of the resource that holds the claim, and goes on holding it until this transaction ends."""
    row = session.one(_WITNESS, of_ns=claim.ns, of_key=claim.key)
    return row[0] if row else None


def held_by(session: Session, pk: int) -> frozenset[Claim]:
    """The claims the resource holds now."""
    return frozenset(Claim(ns, key) for ns, key in session.all(_HELD, pk=pk))


def all_held(session: Session) -> Iterator[tuple[int, Claim, str]]:
    """Every claim of the tenant: the number of its holder, the claim, its role."""
    for pk, ns, key, role in session.stream(_ALL_HELD):
        yield pk, Claim(ns, key), role


def live_documents(session: Session) -> Iterator[Row]:
    """(number, type, id, document) of every live resource of the tenant."""
    return session.stream(_LIVE_DOCUMENTS)


def drop(session: Session, pk: int, dropped: Iterable[Claim]) -> None:
    """These claims of the resource are free."""
    for claim in sorted(dropped):
        session.run(_DROP, of_ns=claim.ns, of_key=claim.key, pk=pk)


def drop_all(session: Session, pk: int) -> None:
    """The resource holds nothing."""
    session.run(_DROP_ALL, pk=pk)


def take(session: Session, pk: int, taken: Iterable[Wanted]) -> None:
    """The resource holds these claims; raises ClaimLost where another got one first."""
    take_all(session, [(pk, wanted) for wanted in taken])


def take_all(session: Session, taken: Iterable[tuple[int, Wanted]]) -> None:
    """Each resource holds its claim; raises ClaimLost where another got one first.

    In sorted order, so that two transactions that want the same claims wait for each other instead of deadlocking.
    """
    rows = [
        {
            "resource_pk": pk,
            "ns": wanted.claim.ns,
            "key": wanted.claim.key,
            "role": wanted.role,
            "norm_version": NORM_VERSION,
        }
        for pk, wanted in sorted(taken, key=lambda each: each[1].claim)
    ]
    if session.many(_TAKE, rows) != len(rows):
        raise ClaimLost
