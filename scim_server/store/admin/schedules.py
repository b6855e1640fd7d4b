"""Statements about schedules."""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, or_, select, update

from scim_server.store.engine import Session
from scim_server.store.statements import Statement, insert_unless_there
from scim_server.store.tables.administration import sources
from scim_server.store.tables.jobs import schedules
from scim_server.store.tables.sync import plans


class StoredSchedule(NamedTuple):
    """A row of ``schedules`` with the name of its source."""

    tenant_id: int
    source_id: int
    source: str
    rule: str
    next_run_at: str


_COLUMNS = (schedules.c.tenant_id, schedules.c.source_id, sources.c.name, schedules.c.rule, schedules.c.next_run_at)
_THIS = (schedules.c.tenant_id == bindparam("tenant"), schedules.c.source_id == bindparam("source"))
_ALL = Statement(
    select(*_COLUMNS)
    .join(sources, sources.c.id == schedules.c.source_id)
    .where(schedules.c.tenant_id == bindparam("tenant"))
    .order_by(sources.c.name)
)
_DUE = Statement(  # of every tenant: the tick stands above them
    select(*_COLUMNS)
    .join(sources, sources.c.id == schedules.c.source_id)
    .where(schedules.c.next_run_at <= bindparam("now"))
    .order_by(schedules.c.next_run_at)
    .limit(1000)
)
_INSERT = insert_unless_there(schedules)
_SET = Statement(update(schedules).where(*_THIS).values(rule=bindparam("new_rule"), next_run_at=bindparam("next_at")))
_DELETE = Statement(delete(schedules).where(*_THIS))
_MOVE_ON = Statement(
    update(schedules)
    .where(*_THIS, schedules.c.next_run_at == bindparam("seen"))
    .values(next_run_at=bindparam("next_at"))
)
_LAST_FULL = Statement(
    select(func.max(plans.c.created_at)).where(
        plans.c.tenant_id == bindparam("tenant"),
        plans.c.source_id == bindparam("source"),
        plans.c.is_full,
        plans.c.is_complete,
        or_(plans.c.status == "applied", plans.c.status == "applied_with_drift"),
    )
)


def list_all(session: Session) -> list[StoredSchedule]:
    """Every schedule of the tenant, by source."""
    return [StoredSchedule._make(row) for row in session.all(_ALL)]


def due(session: Session, now: str) -> list[StoredSchedule]:
    """Every schedule whose next run has come, whatever the tenant."""
    return [StoredSchedule._make(row) for row in session.all(_DUE, now=now)]


def put(session: Session, source: int, *, rule: str, next_run_at: str) -> None:
    """The source has this schedule."""
    if not session.run(_INSERT, source_id=source, rule=rule, next_run_at=next_run_at):
        session.run(_SET, source=source, new_rule=rule, next_at=next_run_at)


def remove(session: Session, source: int) -> bool:
    """The source has no schedule; whether it had one."""
    return session.run(_DELETE, source=source) == 1


def move_on(session: Session, source: int, *, seen: str, next_run_at: str) -> bool:
    """The next run is later; False where another process saw the same run and was first."""
    return session.run(_MOVE_ON, source=source, seen=seen, next_at=next_run_at) == 1


def last_full_read(session: Session, source: int) -> str | None:
    """When the last complete full read that was applied began."""
    row = session.one(_LAST_FULL, source=source)
    return row[0] if row else None
