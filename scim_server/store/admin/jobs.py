"""Statements about jobs. What a worker writes names its attempt: one that only seemed dead writes nothing more."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, case, func, insert, null, or_, select, update

from scim_server.store.engine import Row, Session
from scim_server.store.statements import Statement
from scim_server.store.tables.jobs import jobs


class StoredJob(NamedTuple):
    """A row of ``jobs``; ``request`` is JSON text, times are texts."""

    tenant_id: int
    id: str
    kind: str
    source_id: int
    plan_id: str
    request: str
    actor: str
    status: str
    done: int
    total: int | None
    cancel_requested: bool
    attempt: int
    crashes: int
    due_at: str
    lease_until: str | None
    error: str
    created_at: str
    started_at: str | None
    finished_at: str | None


_COLUMNS = tuple(jobs.c[name] for name in StoredJob._fields)
_MINE = jobs.c.tenant_id == bindparam("tenant")
_THIS = (_MINE, jobs.c.id == bindparam("job"))
_HELD = (*_THIS, jobs.c.status == "running", jobs.c.attempt == bindparam("of_attempt"))
_NEW = ("tenant_id", "id", "kind", "source_id", "plan_id", "request", "actor", "status", "due_at", "created_at")

_INSERT = Statement(insert(jobs).values({name: bindparam(name) for name in _NEW}))
_FIND = Statement(select(*_COLUMNS).where(*_THIS))
_OF_PLAN = Statement(
    select(*_COLUMNS)
    .where(_MINE, jobs.c.plan_id == bindparam("plan"))
    .order_by(jobs.c.created_at, jobs.c.kind.desc(), jobs.c.id)
)
_UNFINISHED_OF_SOURCE = Statement(
    select(*_COLUMNS)
    .where(_MINE, jobs.c.source_id == bindparam("source"), jobs.c.finished_at.is_(None))
    .order_by(jobs.c.created_at, jobs.c.id)
)
_LATEST = Statement(
    select(*_COLUMNS).where(_MINE).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(bindparam("limit"))
)
_CLAIM = Statement(
    update(jobs)
    .where(
        *_THIS,
        or_(
            and_(jobs.c.status == "queued", jobs.c.due_at <= bindparam("now")),
            and_(jobs.c.status == "running", jobs.c.lease_until < bindparam("now")),
        ),
    )
    .values(
        status="running",
        attempt=jobs.c.attempt + 1,
        crashes=jobs.c.crashes + case((jobs.c.status == "running", 1), else_=0),
        lease_until=bindparam("until"),
        started_at=func.coalesce(jobs.c.started_at, bindparam("now")),
    )
    .returning(*_COLUMNS)
)
_RENEW = Statement(
    update(jobs)
    .where(*_HELD)
    .values(done=bindparam("number"), total=bindparam("of_all"), lease_until=bindparam("until"))
    .returning(jobs.c.cancel_requested)
)
_FINISH = Statement(
    update(jobs)
    .where(*_HELD)
    .values(status=bindparam("ended"), error=bindparam("words"), finished_at=bindparam("now"), lease_until=null())
)
_POSTPONE = Statement(update(jobs).where(*_HELD).values(status="queued", due_at=bindparam("until"), lease_until=null()))
_CANCEL_QUEUED = Statement(
    update(jobs).where(*_THIS, jobs.c.status == "queued").values(status="cancelled", finished_at=bindparam("now"))
)
_REQUEST_CANCEL = Statement(update(jobs).where(*_THIS, jobs.c.status == "running").values(cancel_requested=True))
_DUE = Statement(  # of every tenant: the sweeper stands above them
    select(jobs.c.tenant_id, jobs.c.id)
    .where(
        jobs.c.finished_at.is_(None),
        or_(
            and_(jobs.c.status == "queued", jobs.c.due_at <= bindparam("now")),
            and_(jobs.c.status == "running", jobs.c.lease_until < bindparam("now")),
        ),
    )
    .order_by(jobs.c.due_at)
    .limit(1000)
)


def add(
    session: Session,
    *,
    id: str,  # noqa: A002 - the name of the column
    kind: str,
    source_id: int,
    plan_id: str,
    request: str,
    actor: str,
    now: str,
) -> None:
    """The job waits for a worker."""
    session.run(
        _INSERT,
        id=id,
        kind=kind,
        source_id=source_id,
        plan_id=plan_id,
        request=request,
        actor=actor,
        status="queued",
        due_at=now,
        created_at=now,
    )


def find(session: Session, job: str) -> StoredJob | None:
    """The job of that id."""
    row = session.one(_FIND, job=job)
    return _job(row) if row else None


def of_plan(session: Session, plan: str) -> list[StoredJob]:
    """The jobs of a plan: its preview, then its applies."""
    return [_job(row) for row in session.all(_OF_PLAN, plan=plan)]


def unfinished(session: Session, source: int) -> list[StoredJob]:
    """The jobs of a source that wait or run."""
    return [_job(row) for row in session.all(_UNFINISHED_OF_SOURCE, source=source)]


def latest(session: Session, limit: int) -> list[StoredJob]:
    """The newest jobs of the tenant."""
    return [_job(row) for row in session.all(_LATEST, limit=limit)]


def claim(session: Session, job: str, *, now: str, until: str) -> StoredJob | None:
    """The job, running and held until then; None where another worker has it or it is over."""
    rows = session.all(_CLAIM, job=job, now=now, until=until)
    return _job(rows[0]) if rows else None


def renew(session: Session, held: StoredJob, *, done: int, total: int | None, until: str) -> bool | None:
    """Progress is stored and the lease renewed; whether cancelling was requested, None where the job is lost."""
    rows = session.all(_RENEW, job=held.id, of_attempt=held.attempt, number=done, of_all=total, until=until)
    return bool(rows[0][0]) if rows else None


def finish(session: Session, held: StoredJob, *, status: str, error: str, now: str) -> bool:
    """The job is over; False where it was lost to another worker before."""
    return session.run(_FINISH, job=held.id, of_attempt=held.attempt, ended=status, words=error, now=now) == 1


def postpone(session: Session, held: StoredJob, *, until: str) -> bool:
    """The job waits again, until then; False where it was lost to another worker before."""
    return session.run(_POSTPONE, job=held.id, of_attempt=held.attempt, until=until) == 1


def cancel(session: Session, job: str, now: str) -> bool:
    """A waiting job is cancelled, a running one is asked to stop; False where it is over."""
    if session.run(_CANCEL_QUEUED, job=job, now=now):
        return True
    return session.run(_REQUEST_CANCEL, job=job) == 1


def due(session: Session, now: str) -> list[tuple[int, str]]:
    """Tenant and id of every job that waits for a worker, whatever the tenant: due ones and those of dead workers."""
    return [(tenant, job) for tenant, job in session.all(_DUE, now=now)]


def _job(row: Row) -> StoredJob:
    stored = StoredJob._make(row)
    return stored._replace(cancel_requested=bool(stored.cancel_requested))
