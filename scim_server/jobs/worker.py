"""Working off one job: claim it, keep the claim alive, write down how far it is and how it ended."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from scim_server import logs
from scim_server.admin.errors import Refused
from scim_server.admin.jobs import (
    ApplyRequest,
    Dispatch,
    Job,
    JobKind,
    JobRef,
    JobStatus,
    add_apply,
    to_job,
)
from scim_server.domain.errors import DomainError, LeaseLost, SourceBusy
from scim_server.domain.observations import ReadFailed
from scim_server.domain.times import Clock, to_text
from scim_server.reconciler.runs import PlanSummary, Progress, RunSummary, ShouldStop
from scim_server.store.admin import jobs as stored_jobs
from scim_server.store.admin.jobs import StoredJob
from scim_server.store.engine import Database, StoreUnavailable

LEASE = timedelta(minutes=2)
"""A worker that wrote nothing for so long is dead; a page or a transaction takes seconds."""

_MOST_CRASHES = 5
_WAIT_FOR_SOURCE = timedelta(seconds=15)
_SECONDS_BETWEEN_RENEWALS = 1.0
_EXPECTED = (DomainError, Refused, ReadFailed)
"""Errors that say in words for an administrator what is the matter."""

_log = logs.logger(__name__)

Summary = PlanSummary | RunSummary


@dataclass(frozen=True, slots=True)
class Done:
    """How the work on a job went.

    ``stopped`` tells that it ended early because it was asked to, ``error`` why it failed, ``then`` what to apply next.
    """

    summary: Summary | None = None
    stopped: bool = False
    error: str = ""
    then: ApplyRequest | None = None


Work = Callable[[Job, Progress, ShouldStop], Done]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a job: its status, the summary where the work came to one, and the job that follows it."""

    status: JobStatus
    summary: Summary | None = None
    error: str = ""
    then: JobRef | None = None


@dataclass(slots=True)
class _Pulse:
    """Progress, lease and requests to stop of one running job: one update says and learns all of them."""

    database: Database
    clock: Clock
    job: StoredJob
    lease: timedelta
    is_stopping: ShouldStop
    watch: Progress | None
    done: int = 0
    total: int | None = None
    is_cancelled: bool = False
    is_lost: bool = False
    _renewed: float = field(default_factory=time.monotonic)

    def progress(self, done: int, total: int | None) -> None:
        """So much is done; written down once a second at most."""
        self.done, self.total = done, total
        if self.watch is not None:
            self.watch(done, total)
        self._renew()

    def should_stop(self) -> bool:
        """Whether somebody cancelled the job, another worker took it over, or this process is to end."""
        self._renew()
        return self.is_cancelled or self.is_lost or self.is_stopping()

    def write(self) -> None:
        """The row says how far the job is, and the lease is renewed."""
        until = to_text(self.clock.now() + self.lease)
        with self.database.writing(self.job.tenant_id) as session:
            cancelled = stored_jobs.renew(session, self.job, done=self.done, total=self.total, until=until)
        self.is_lost = cancelled is None
        self.is_cancelled = bool(cancelled)
        self._renewed = time.monotonic()

    def _renew(self) -> None:
        if time.monotonic() - self._renewed >= _SECONDS_BETWEEN_RENEWALS:
            self.write()


class Worker:
    """Works off jobs, one at a time for each thread that calls ``run``. Processes agree by the rows alone."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        works: Mapping[JobKind, Work],
        dispatch: Dispatch,
        *,
        lease: timedelta = LEASE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._works = works
        self._dispatch = dispatch
        self._lease = lease

    def run(self, ref: JobRef, is_stopping: ShouldStop, watch: Progress | None = None) -> Ended | None:
        """The job is over, or waits for its next turn; None where another worker has it. Never raises.

        ``is_stopping`` tells that this process is to end: the job then stops between two transactions and waits.
        """
        logs.begin(job=ref.job)
        try:
            job = self._claim(ref)
            if job is None:
                return None
            if job.crashes >= _MOST_CRASHES:
                return self._end(job, JobStatus.FAILED, f"given up: {job.crashes} workers ended while they did it")
            pulse = _Pulse(self._database, self._clock, job, self._lease, is_stopping, watch)
            return self._work(job, pulse)
        except StoreUnavailable as error:
            _log.warning("job.interrupted", reason=str(error))  # the lease runs out, and somebody goes on
            return None

    def _claim(self, ref: JobRef) -> StoredJob | None:
        now = self._clock.now()
        with self._database.writing(ref.tenant) as session:
            return stored_jobs.claim(session, ref.job, now=to_text(now), until=to_text(now + self._lease))

    def _work(self, job: StoredJob, pulse: _Pulse) -> Ended | None:
        _log.info("job.started", kind=job.kind, plan=job.plan_id, attempt=job.attempt)
        try:
            done = self._works[JobKind(job.kind)](to_job(job), pulse.progress, pulse.should_stop)
        except SourceBusy as error:
            return self._postpone(job, str(error), _WAIT_FOR_SOURCE)
        except LeaseLost:
            _log.warning("job.lost")
            return None
        except StoreUnavailable:
            raise
        except _EXPECTED as error:
            return self._end(job, JobStatus.FAILED, str(error))
        except Exception as error:
            _log.exception("job.crashed")
            words = f"something unexpected went wrong ({type(error).__name__}); the log has it under job {job.id}"
            return self._end(job, JobStatus.FAILED, words)
        pulse.write()
        if done.stopped and not pulse.is_cancelled:
            return self._postpone(job, "the worker ends", timedelta())
        if done.stopped:
            return self._end(job, JobStatus.CANCELLED, "", done.summary)
        return self._end(
            job, JobStatus.FAILED if done.error else JobStatus.DONE, done.error, done.summary, then=done.then
        )

    def _end(
        self,
        job: StoredJob,
        status: JobStatus,
        error: str,
        summary: Summary | None = None,
        then: ApplyRequest | None = None,
    ) -> Ended | None:
        """The job is over, and what follows it waits, in one transaction."""
        now = self._clock.now()
        follower = None
        with self._database.writing(job.tenant_id) as session:
            if not stored_jobs.finish(session, job, status=status.value, error=error, now=to_text(now)):
                _log.warning("job.lost")
                return None
            if then is not None:
                follower = add_apply(session, job.source_id, job.plan_id, then, actor=job.actor, now=now).ref
        if follower is not None:
            self._dispatch(follower)
        _log.info("job.ended", status=status.value, reason=error)
        return Ended(status, summary, error, follower)

    def _postpone(self, job: StoredJob, reason: str, wait: timedelta) -> Ended | None:
        until = to_text(self._clock.now() + wait)
        with self._database.writing(job.tenant_id) as session:
            held = stored_jobs.postpone(session, job, until=until)
        _log.info("job.postponed", reason=reason)
        return Ended(JobStatus.QUEUED, error=reason) if held else None
