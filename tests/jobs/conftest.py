"""Jobs over a database of each kind, with work that a test scripts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scim_server.admin.jobs import Job, JobKind, JobRef, Jobs, PreviewRequest
from scim_server.admin.schedules import Schedules
from scim_server.admin.tenants import Tenants
from scim_server.jobs.worker import Done, Work, Worker
from scim_server.reconciler.runs import Progress, ShouldStop
from scim_server.store.admin import sources as stored_sources
from scim_server.store.engine import Database


class SettableClock:
    """The time that a test says it is."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday

    def now(self) -> datetime:
        return self.at

    def pass_by(self, **much: float) -> None:
        self.at += timedelta(**much)


class Office:
    """A tenant with one source, its jobs, and what was dispatched."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SettableClock()
        self.tenant = Tenants(database, self.clock).ensure_default()[0].id
        self.sent: list[JobRef] = []
        self.jobs = Jobs(database, self.clock, self.sent.append)
        self.schedules = Schedules(database, self.clock)
        self.source = self.add_source("corp")

    def add_source(self, name: str) -> int:
        with self.database.writing(self.tenant) as session:
            number = stored_sources.add(
                session, name=name, kind="sample", rank=30, settings="{}", secrets="", created_at="2026-03-01"
            )
        assert number is not None
        return number

    def preview(self, **request: bool) -> Job:
        return self.jobs.preview(self.tenant, self.source, PreviewRequest(**request), "tester")

    def worker(self, work: Work) -> Worker:
        return Worker(self.database, self.clock, {JobKind.PREVIEW: work, JobKind.APPLY: work}, self.sent.append)

    def look_at(self, job: Job) -> Job:
        return self.jobs.get(self.tenant, job.id)


def nothing(_job: Job, _progress: Progress, _should_stop: ShouldStop) -> Done:
    return Done()


def never() -> bool:
    return False


def raising(error: BaseException) -> Callable[[Job, Progress, ShouldStop], Done]:
    def work(_job: Job, _progress: Progress, _should_stop: ShouldStop) -> Done:
        raise error

    return work


@pytest.fixture
def office(database_url: str) -> Iterator[Office]:
    database = Database(database_url)
    yield Office(database)
    database.close()
