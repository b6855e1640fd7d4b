"""Plans: written by previews, carried out by apply."""

from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from scim_server.store.engine import Session
from scim_server.store.identities.plan_items import forget_items
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import links
from scim_server.store.tables.sync import plans


class StoredPlan(NamedTuple):
    """A plan as it lies; ``counts`` and ``blocked`` are JSON texts."""

    id: str
    source_id: int
    mode: str
    status: str
    actor: str
    config_hash: str
    mapping_hash: str
    scope: str
    is_full: bool
    is_complete: bool
    cursor_before: str | None
    cursor_next: str | None
    objects_read: int
    content_fingerprint: str
    fingerprint: str
    counts: str
    blocked: str
    reason: str
    expires_at: str | None


_PLAN_COLUMNS = tuple(plans.c[name] for name in StoredPlan._fields)
_THIS = (plans.c.tenant_id == bindparam("tenant"), plans.c.id == bindparam("plan"))
_STARTED = (
    "tenant_id", "id", "source_id", "mode", "status", "actor", "config_hash", "mapping_hash", "cursor_before",
    "created_at",
)  # fmt: skip
_INSERT = Statement(insert(plans).values({name: bindparam(name) for name in _STARTED}))
_LOAD = Statement(select(*_PLAN_COLUMNS).where(*_THIS).with_for_update())
_DELETE = Statement(delete(plans).where(*_THIS))
_SET_STATUS = Statement(update(plans).where(*_THIS).values(status=bindparam("new_status"), reason=bindparam("why")))
_FINISH_READING = Statement(
    update(plans)
    .where(*_THIS)
    .values(
        status="computing",
        is_full=bindparam("full"),
        is_complete=bindparam("complete"),
        cursor_next=bindparam("next_cursor"),
        scope=bindparam("new_scope"),
        objects_read=bindparam("read"),
        reason=bindparam("why"),
    )
)
_FINISH_COMPUTING = Statement(
    update(plans)
    .where(*_THIS)
    .values(
        status=bindparam("new_status"),
        content_fingerprint=bindparam("content"),
        fingerprint=bindparam("print"),
        counts=bindparam("numbers"),
        blocked=bindparam("tripped"),
        expires_at=bindparam("expiry"),
    )
)
_FINISH = Statement(
    update(plans)
    .where(*_THIS)
    .values(
        status=bindparam("new_status"),
        counts=bindparam("numbers"),
        removals=bindparam("removed"),
        reason=bindparam("why"),
        finished_at=bindparam("at"),
    )
)
_START = Statement(
    update(plans).where(*_THIS).values(status="applying", applied_by=bindparam("by"), approved_by=bindparam("approver"))
)
_REMOVED_SINCE = Statement(
    select(func.coalesce(func.sum(plans.c.removals), 0)).where(
        plans.c.tenant_id == bindparam("tenant"),
        plans.c.source_id == bindparam("source"),
        plans.c.finished_at > bindparam("since"),
    )
)
_LAST_COMPLETE = Statement(
    select(plans.c.objects_read, plans.c.mapping_hash, plans.c.scope)
    .where(
        plans.c.tenant_id == bindparam("tenant"),
        plans.c.source_id == bindparam("source"),
        plans.c.is_full,
        plans.c.is_complete,
        or_(plans.c.status == "applied", plans.c.status == "applied_with_drift"),
    )
    .order_by(plans.c.created_at.desc())
    .limit(1)
)
_COUNT_LINKED = Statement(
    select(func.count()).where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.source_id == bindparam("source"),
        links.c.state == "present",
        links.c.type == "User",
    )
)
_SOURCE = Statement(
    select(sources.c.id, sources.c.name, sources.c.kind, sources.c.rank, sources.c.settings, sources.c.cursor)
    .where(sources.c.tenant_id == bindparam("tenant"))
    .order_by(sources.c.id)
)
_MOVE_CURSOR = Statement(
    update(sources)
    .where(
        sources.c.tenant_id == bindparam("tenant"),
        sources.c.id == bindparam("source"),
        func.coalesce(sources.c.cursor, "") == bindparam("before"),
    )
    .values(cursor=bindparam("next_cursor"), scope=bindparam("new_scope"))
)


class StoredSource(NamedTuple):
    """A source with the cursor its next incremental read starts from; ``settings`` is JSON text."""

    id: int
    name: str
    kind: str
    rank: int
    settings: str
    cursor: str | None


def start_plan(session: Session, **values: Any) -> None:
    """The plan exists and is reading."""
    session.run(_INSERT, status="reading", **values)


def load_plan(session: Session, plan: str) -> StoredPlan | None:
    """The plan of that id, locked until the transaction ends."""
    row = session.one(_LOAD, plan=plan)
    return StoredPlan._make(row) if row else None


def forget_plan(session: Session, plan: str) -> None:
    """There is no such plan, and nothing of it."""
    forget_items(session, plan)
    session.run(_DELETE, plan=plan)


def set_status(session: Session, plan: str, status: str, reason: str = "") -> None:
    """The plan has that status, for that reason."""
    session.run(_SET_STATUS, plan=plan, new_status=status, why=reason)


def finish_reading(
    session: Session, plan: str, *, full: bool, complete: bool, cursor: str | None, scope: str, read: int, reason: str
) -> None:
    """The plan knows how its read ended, and computes."""
    session.run(
        _FINISH_READING,
        plan=plan,
        full=full,
        complete=complete,
        next_cursor=cursor,
        new_scope=scope,
        read=read,
        why=reason,
    )


def finish_computing(
    session: Session, plan: str, *, status: str, content: str, fingerprint: str, counts: str, blocked: str, expires: str
) -> None:
    """The plan waits for its confirmation."""
    session.run(
        _FINISH_COMPUTING,
        plan=plan,
        new_status=status,
        content=content,
        print=fingerprint,
        numbers=counts,
        tripped=blocked,
        expiry=expires,
    )


def start_applying(session: Session, plan: str, by: str, approved_by: str | None) -> None:
    """The plan is being applied."""
    session.run(_START, plan=plan, by=by, approver=approved_by)


def finish_plan(session: Session, plan: str, *, status: str, counts: str, removals: int, reason: str, at: str) -> None:
    """The run of the plan is over."""
    session.run(_FINISH, plan=plan, new_status=status, numbers=counts, removed=removals, why=reason, at=at)


def count_linked(session: Session, source: int) -> int:
    """How many users have a present link of the source."""
    row = session.one(_COUNT_LINKED, source=source)
    return row[0] if row else 0


def removed_since(session: Session, source: int, since: str) -> int:
    """How many users all runs of the source have removed since then."""
    row = session.one(_REMOVED_SINCE, source=source, since=since)
    return int(row[0]) if row else 0


def last_complete(session: Session, source: int) -> tuple[int, str, str] | None:
    """Objects, mapping hash and scope of the last complete full read that was applied."""
    row = session.one(_LAST_COMPLETE, source=source)
    return (row[0], row[1], row[2]) if row else None


def all_sources(session: Session) -> list[StoredSource]:
    """Every source of the tenant."""
    return [StoredSource._make(row) for row in session.all(_SOURCE)]


def move_cursor(session: Session, source: int, *, before: str | None, after: str, scope: str) -> bool:
    """The next incremental read starts at ``after``; False where another run has moved the cursor meanwhile."""
    return session.run(_MOVE_CURSOR, source=source, before=before or "", next_cursor=after, new_scope=scope) == 1
