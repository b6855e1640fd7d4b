"""Staged observations: what a preview has read, one row for each object."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.store.engine import Session
from scim_server.store.listed import among, argument
from scim_server.store.statements import Statement, insert_unless_there
from scim_server.store.tables.identities import links, resources
from scim_server.store.tables.sync import chosen, observations, retries


class Staged(NamedTuple):
    """An observation as it lies; ``payload`` is its JSON text, ``origin`` is read, look_up, needed or retry."""

    kind: str
    immutable_id: str
    evidence: str
    origin: str
    payload: str
    hash: str
    read_at: str


_NAMES = (
    "tenant_id", "plan_id", "kind", "immutable_id", "evidence", "gone", "origin", "payload", "hash", "read_at",
)  # fmt: skip
_KEY = ("tenant_id", "plan_id", "immutable_id")
_COLUMNS = tuple(observations.c[name] for name in Staged._fields)
_THIS = and_(observations.c.tenant_id == bindparam("tenant"), observations.c.plan_id == bindparam("plan"))


def _stage(dialect: str) -> Insert:
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(observations)
    insert = insert.values({name: bindparam(name) for name in _NAMES})
    new, old = insert.excluded, observations.c
    later = tuple_(new.read_at, new.gone, new.hash) > tuple_(old.read_at, old.gone, old.hash)
    fresh = {name: new[name] for name in _NAMES if name not in _KEY}
    return insert.on_conflict_do_update(index_elements=list(_KEY), set_=fresh, where=later)


_LINKED = and_(
    links.c.tenant_id == observations.c.tenant_id,
    links.c.source_id == bindparam("source"),
    links.c.immutable_id == observations.c.immutable_id,
)
_WAITING = exists().where(
    retries.c.tenant_id == observations.c.tenant_id,
    retries.c.source_id == bindparam("source"),
    retries.c.immutable_id == observations.c.immutable_id,
)
_NEEDS_WORK = or_(
    and_(observations.c.evidence != "present", links.c.immutable_id.is_not(None)),
    and_(
        observations.c.evidence == "present",
        or_(
            links.c.immutable_id.is_(None),
            links.c.raw_hash != observations.c.hash,
            links.c.state != "present",
            links.c.resource_pk.is_(None),
        ),
    ),
    _WAITING,
)
_CHANGED = Statement(
    select(*_COLUMNS)
    .select_from(observations.outerjoin(links, _LINKED))
    .where(_THIS, observations.c.kind == bindparam("of_kind"), observations.c.immutable_id > bindparam("after"))
    .where(_NEEDS_WORK)
    .order_by(observations.c.immutable_id)
    .limit(bindparam("limit"))
)
_COUNT = Statement(
    select(observations.c.kind, func.count())
    .where(_THIS, observations.c.origin == "read")
    .group_by(observations.c.kind)
)
_COUNT_OUTSIDE = Statement(
    select(observations.c.kind, func.count())
    .select_from(observations.outerjoin(links, _LINKED))
    .where(_THIS, observations.c.evidence != "present", links.c.immutable_id.is_(None), ~_WAITING)
    .where(observations.c.origin == "read")
    .group_by(observations.c.kind)
)
_GET = Statement(lambda dialect: select(*_COLUMNS).where(_THIS, among(observations.c.immutable_id, "ids", dialect)))
_STAGE = Statement(_stage)
_CLEAR = Statement(
    delete(observations).where(
        observations.c.tenant_id == bindparam("tenant"), observations.c.plan_id == bindparam("plan")
    )
)
_LEAVE_UNCHOSEN = Statement(
    update(observations)
    .where(
        _THIS,
        observations.c.evidence == "present",
        ~exists().where(
            chosen.c.tenant_id == observations.c.tenant_id,
            chosen.c.source_id == bindparam("source"),
            chosen.c.immutable_id == observations.c.immutable_id,
        ),
    )
    .values(evidence="out_of_scope")
)


_CHOOSE = insert_unless_there(chosen)
_UNCHOOSE = Statement(
    delete(chosen).where(
        chosen.c.tenant_id == bindparam("tenant"),
        chosen.c.source_id == bindparam("source_id"),
        chosen.c.immutable_id == bindparam("immutable_id"),
    )
)
_CHOSEN = Statement(
    select(chosen.c.immutable_id).where(
        chosen.c.tenant_id == bindparam("tenant"), chosen.c.source_id == bindparam("source")
    )
)


def _is_staged(owner: Any) -> ColumnElement[bool]:
    return exists().where(
        observations.c.tenant_id == bindparam("tenant"),
        observations.c.plan_id == bindparam("plan"),
        observations.c.immutable_id == owner,
    )


def _due_retries() -> Select[Any]:
    gone = literal(0)
    return select(
        retries.c.tenant_id,
        bindparam("plan", type_=observations.c.plan_id.type),
        retries.c.kind,
        retries.c.immutable_id,
        literal("present"),
        gone,
        literal("retry"),
        retries.c.payload,
        retries.c.hash,
        retries.c.read_at,
    ).where(
        retries.c.tenant_id == bindparam("tenant"),
        retries.c.source_id == bindparam("source"),
        or_(retries.c.reason != "error", retries.c.next_at <= bindparam("now")),
        ~_is_staged(retries.c.immutable_id),
    )


_REPLAY = Statement(observations.insert().from_select(list(_NAMES), _due_retries()))
_MISSING = Statement(
    select(links.c.immutable_id)
    .where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.source_id == bindparam("source"),
        links.c.state != "deleted",
        links.c.immutable_id > bindparam("after"),
        ~_is_staged(links.c.immutable_id),
    )
    .union(
        select(retries.c.immutable_id).where(
            retries.c.tenant_id == bindparam("tenant"),
            retries.c.source_id == bindparam("source"),
            retries.c.immutable_id > bindparam("after"),
            ~_is_staged(retries.c.immutable_id),
        )
    )
    .order_by("immutable_id")
    .limit(bindparam("limit"))
)
_KIND_OF_LINK = Statement(
    lambda dialect: select(links.c.immutable_id, links.c.type).where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.source_id == bindparam("source"),
        links.c.state == "present",
        among(links.c.immutable_id, "ids", dialect),
    )
)
_UNREAD_HOLDERS = Statement(
    lambda dialect: (
        select(resources.c.id, links.c.immutable_id)
        .join(links, and_(links.c.resource_pk == resources.c.pk, links.c.tenant_id == resources.c.tenant_id))
        .where(
            resources.c.tenant_id == bindparam("tenant"),
            among(resources.c.id, "ids", dialect),
            links.c.source_id == bindparam("source"),
            links.c.state == "present",
            ~_is_staged(links.c.immutable_id),
        )
    )
)


def stage(session: Session, plan: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Each object is staged as it was told last; at the same moment a deletion counts more than an update."""
    session.many(_STAGE, [{"plan_id": plan, **row} for row in rows])


def staged(session: Session, plan: str, ids: Collection[str]) -> dict[str, Staged]:
    """What is staged of these objects."""
    rows = session.all(_GET, plan=plan, ids=argument(session, ids))
    return {row[1]: Staged._make(row) for row in rows}


def changed(session: Session, plan: str, source: int, kind: str, after: str, limit: int) -> list[Staged]:
    """Up to ``limit`` objects behind ``after`` that differ from what is linked, or wait for another try."""
    rows = session.all(_CHANGED, plan=plan, source=source, of_kind=kind, after=after, limit=limit)
    return [Staged._make(row) for row in rows]


def count_read(session: Session, plan: str) -> dict[str, int]:
    """How many objects of each kind were read."""
    return dict(session.all(_COUNT, plan=plan))


def count_outside(session: Session, plan: str, source: int) -> dict[str, int]:
    """How many objects of each kind were read, are not in scope and never were imported."""
    return dict(session.all(_COUNT_OUTSIDE, plan=plan, source=source))


def leave_unchosen(session: Session, plan: str, source: int) -> None:
    """Objects that nobody chose are out of scope."""
    session.run(_LEAVE_UNCHOSEN, plan=plan, source=source)


def choose(session: Session, source: int, ids: Iterable[str], *, wanted: bool) -> None:
    """These objects are among those that a source with import mode "chosen" brings in, or not any more."""
    rows = [{"source_id": source, "immutable_id": immutable_id} for immutable_id in ids]
    session.many(_CHOOSE if wanted else _UNCHOOSE, rows)


def chosen_objects(session: Session, source: int) -> set[str]:
    """The objects that were chosen."""
    return {row[0] for row in session.all(_CHOSEN, source=source)}


def replay_retries(session: Session, plan: str, source: int, now: str) -> None:
    """What earlier runs withheld is staged too, where this read did not tell it anew; errors only when they are due."""
    session.run(_REPLAY, plan=plan, source=source, now=now)


def missing(session: Session, plan: str, source: int, after: str, limit: int) -> list[str]:
    """Objects that are linked (out of scope too: such a one may be deleted meanwhile), or wait, and were not read."""
    return [row[0] for row in session.all(_MISSING, plan=plan, source=source, after=after, limit=limit)]


def kinds_of_links(session: Session, source: int, ids: Collection[str]) -> dict[str, str]:
    """What those of these objects are whose link is present: immutable id to resource type."""
    return dict(session.all(_KIND_OF_LINK, source=source, ids=argument(session, ids)))


def unread_holders(session: Session, plan: str, source: int, ids: Collection[str]) -> dict[str, str]:
    """Of these resources those that the source links and this plan has not read: resource id to immutable id."""
    return dict(session.all(_UNREAD_HOLDERS, plan=plan, source=source, ids=argument(session, ids)))


def clear(session: Session, plan: str) -> None:
    """Nothing is staged for the plan."""
    session.run(_CLEAR, plan=plan)
