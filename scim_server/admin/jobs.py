"""Jobs: what the server does in the background. The row is the truth; whoever works on it writes down how far it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from scim_server.admin.errors import NotThere, Refused
from scim_server.domain.times import Clock, from_text, to_text
from scim_server.store.admin import jobs as stored_jobs
from scim_server.store.admin.jobs import StoredJob
from scim_server.store.engine import Database, Session


class JobKind(StrEnum):
    """What a job does."""

    PREVIEW = "preview"
    APPLY = "apply"


class JobStatus(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobRef(NamedTuple):
    """What a queue carries: where the job lies, and nothing of what it says."""

    tenant: int
    job: str


Dispatch = Callable[[JobRef], None]
"""Tells a worker that the job waits. It may be lost: the sweeper sends waiting jobs again."""


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """What a preview is to read; ``confirm`` applies the plan at once unless it is blocked."""

    full: bool = False
    objects: Sequence[str] = ()
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """Which plan is confirmed: the fingerprint that was shown, the components (None: all), and who approved of what."""

    fingerprint: str
    components: Sequence[int] | None = None
    approved_by: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """One job; ``total`` is None while nobody knows it, ``error`` says in words why it failed."""

    tenant: int
    id: str
    kind: JobKind
    source_id: int
    plan_id: str
    request: PreviewRequest | ApplyRequest
    actor: str
    status: JobStatus
    done: int
    total: int | None
    cancel_requested: bool
    attempt: int
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ref(self) -> JobRef:
        return JobRef(self.tenant, self.id)

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


class Jobs:
    """What administrators do with jobs; ``dispatch`` is called when the row is committed."""

    def __init__(self, database: Database, clock: Clock, dispatch: Dispatch) -> None:
        self._database = database
        self._clock = clock
        self._dispatch = dispatch

    def preview(self, tenant: int, source_id: int, request: PreviewRequest, actor: str) -> Job:
        """A preview of the source waits for a worker; the plan will have the job's ``plan_id``."""
        with self._database.writing(tenant) as session:
            job = add_preview(session, source_id, request, actor=actor, now=self._clock.now())
        self._dispatch(job.ref)
        return job

    def apply(self, tenant: int, source_id: int, plan_id: str, request: ApplyRequest, actor: str) -> Job:
        """An apply of the plan waits for a worker. Raises Refused where one waits or runs already."""
        with self._database.writing(tenant) as session:
            if any(job.kind == JobKind.APPLY and job.finished_at is None for job in _of_plan(session, plan_id)):
                raise Refused(f"the plan {plan_id} is being applied already")
            job = add_apply(session, source_id, plan_id, request, actor=actor, now=self._clock.now())
        self._dispatch(job.ref)
        return job

    def get(self, tenant: int, job_id: str) -> Job:
        """The job of that id; raises NotThere."""
        with self._database.reading(tenant) as session:
            stored = stored_jobs.find(session, job_id)
        if stored is None:
            raise NotThere(f"there is no job {job_id!r}")
        return to_job(stored)

    def of_plan(self, tenant: int, plan_id: str) -> list[Job]:
        """The jobs of a plan, the oldest first: its preview, then its applies."""
        with self._database.reading(tenant) as session:
            return [to_job(stored) for stored in _of_plan(session, plan_id)]

    def latest(self, tenant: int, limit: int = 50) -> list[Job]:
        """The newest jobs of the tenant."""
        with self._database.reading(tenant) as session:
            return [to_job(stored) for stored in stored_jobs.latest(session, limit)]

    def cancel(self, tenant: int, run: str) -> Job:
        """The job (named by its id or by that of its plan) is cancelled if it waits, asked to stop if it runs.

        Raises NotThere, and Refused where it is over.
        """
        with self._database.writing(tenant) as session:
            found = [stored_jobs.find(session, run), *_of_plan(session, run)]
            known = [job for job in found if job is not None]
            if not known:
                raise NotThere(f"there is no run {run!r}; `scim-server sync history` shows all")
            now = to_text(self._clock.now())
            cancelled = [job for job in known if stored_jobs.cancel(session, job.id, now)]
            if not cancelled:
                raise Refused(f"{run} is over already: its {known[-1].kind} is {known[-1].status}")
            after = stored_jobs.find(session, cancelled[-1].id)
        return to_job(after or cancelled[-1])


def add_preview(session: Session, source_id: int, request: PreviewRequest, *, actor: str, now: datetime) -> Job:
    """A preview waits, as soon as the transaction is committed."""
    return _add(session, JobKind.PREVIEW, source_id, uuid4().hex, request, actor=actor, now=now)


def add_apply(
    session: Session, source_id: int, plan_id: str, request: ApplyRequest, *, actor: str, now: datetime
) -> Job:
    """An apply of the plan waits, as soon as the transaction is committed."""
    return _add(session, JobKind.APPLY, source_id, plan_id, request, actor=actor, now=now)


def to_job(stored: StoredJob) -> Job:
    """The job that a row stands for."""
    kind = JobKind(stored.kind)
    request: Any = PreviewRequest if kind is JobKind.PREVIEW else ApplyRequest
    return Job(
        tenant=stored.tenant_id,
        id=stored.id,
        kind=kind,
        source_id=stored.source_id,
        plan_id=stored.plan_id,
        request=request(**orjson.loads(stored.request)),
        actor=stored.actor,
        status=JobStatus(stored.status),
        done=stored.done,
        total=stored.total,
        cancel_requested=stored.cancel_requested,
        attempt=stored.attempt,
        error=stored.error,
        created_at=from_text(stored.created_at),
        started_at=_time(stored.started_at),
        finished_at=_time(stored.finished_at),
    )


def _add(
    session: Session,
    kind: JobKind,
    source_id: int,
    plan_id: str,
    request: PreviewRequest | ApplyRequest,
    *,
    actor: str,
    now: datetime,
) -> Job:
    job_id = uuid4().hex
    stored_jobs.add(
        session,
        id=job_id,
        kind=kind,
        source_id=source_id,
        plan_id=plan_id,
        request=orjson.dumps(request).decode(),
        actor=actor,
        now=to_text(now),
    )
    stored = stored_jobs.find(session, job_id)
    if stored is None:
        raise NotThere(f"there is no job {job_id!r}")
    return to_job(stored)


def _of_plan(session: Session, plan_id: str) -> list[StoredJob]:
    return stored_jobs.of_plan(session, plan_id)


def _time(text: str | None) -> datetime | None:
    return from_text(text) if text else None
