"""A synchronization that is killed with SIGKILL at a chosen moment, and what is left when it has been resumed."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from sqlalchemy import create_engine, text

from connectors.sample.directory import sample_days
from connectors.sample.reader import SampleReader
from scim_server.admin.jobs import Job, JobRef, Jobs, PreviewRequest
from scim_server.admin.tenants import Tenants
from scim_server.domain.observations import DirectoryReader
from scim_server.jobs.tasks import Synchronization
from scim_server.jobs.worker import Worker
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.admin import jobs as stored_jobs
from scim_server.store.admin import sources as stored_sources
from scim_server.store.engine import Database, Session

REGISTRY = SchemaRegistry.standard()
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NEXT_DAY = START + timedelta(days=1)
AFTER_THE_LEASE = timedelta(minutes=3)
TENANT = 1


class FixedClock:
    """A time that stands still until it is moved, so that two runs write the same times."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class MortalDatabase(Database):
    """Kills the process at the so-manieth moment: before and after the commit of every transaction."""

    moments = 0
    last = 0

    @contextmanager
    def writing(self, tenant: int) -> Iterator[Session]:
        with super().writing(tenant) as session:
            yield session
            self._pass()
        self._pass()

    def _pass(self) -> None:
        self.moments += 1
        if self.moments == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def never() -> bool:
    return False


def reader_of(day: int) -> DirectoryReader:
    return SampleReader(sample_days()[:day], now=lambda: START)


def worker(database: Database, day: int, at: datetime) -> Worker:
    clock = FixedClock(at)
    work = Synchronization(database, lambda _tenant: REGISTRY, clock, lambda _tenant, _source: reader_of(day))
    return Worker(database, clock, work.works(), lambda _ref: None)


def set_up(url: str) -> int:
    """A tenant with the source ``corp``, on which day one has been applied; the source's id."""
    database = Database(url)
    clock = FixedClock(START)
    tenant = Tenants(database, clock).ensure_default()[0].id
    assert tenant == TENANT
    with database.writing(tenant) as session:
        source = stored_sources.add(
            session, name="corp", kind="sample", rank=30, settings="{}", secrets="", created_at="2026-03-01"
        )
    assert source is not None
    request(database, source)
    work_off(database, source, 1, START)
    database.close()
    return source


def request(database: Database, source: int) -> Job:
    """A preview that confirms itself waits."""
    jobs = Jobs(database, FixedClock(START), lambda _ref: None)
    return jobs.preview(TENANT, source, PreviewRequest(confirm=True), "tester")


def work_off(database: Database, source: int, day: int, at: datetime) -> None:
    """Every job of the source is over."""
    for _ in range(10):
        with database.reading(TENANT) as session:
            waiting = stored_jobs.unfinished(session, source)
        if not waiting:
            return
        worker(database, day, at).run(JobRef(TENANT, waiting[0].id), never)
    raise AssertionError("the jobs do not come to an end")


def run_and_die(url: str, source: int, day: int, moment: int) -> bool:
    """The jobs are worked off in a process that is killed at that moment; False where it came to its end before."""
    child = os.fork()
    if child == 0:
        try:
            structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
            database = MortalDatabase(url)
            database.last = moment
            work_off(database, source, day, NEXT_DAY)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def resume(url: str, source: int, day: int, *, after: timedelta = AFTER_THE_LEASE) -> None:
    """Another worker takes over, once the lease of the dead one has run out."""
    database = Database(url)
    work_off(database, source, day, NEXT_DAY + after)
    database.close()


_TABLES = {
    "resources": "SELECT type, id, state, active, version, display, document FROM resources ORDER BY id",
    "claims": "SELECT ns, key, r.id, role FROM claims JOIN resources r ON r.pk = resource_pk ORDER BY ns, key",
    "members": "SELECT g.id, m.id FROM members JOIN resources g ON g.pk = group_pk JOIN resources m ON m.pk = member_pk"
    " ORDER BY g.id, m.id",
    "links": "SELECT immutable_id, r.id, l.state, enabled, origin, raw_hash FROM links l"
    " LEFT JOIN resources r ON r.pk = resource_pk ORDER BY immutable_id",
    "duplicates": "SELECT immutable_id, ns, key, kind, status, seen FROM duplicates ORDER BY immutable_id, ns, key",
    "changes": "SELECT resource_id, action, channel FROM changes ORDER BY resource_id, action",
    "retries": "SELECT immutable_id, reason, attempts FROM retries ORDER BY immutable_id",
    "told": "SELECT owner, role, target, resolved FROM told_references ORDER BY owner, role, target",
    "runs": "SELECT status, counts, content_fingerprint, removals FROM plans ORDER BY created_at, content_fingerprint",
    "sources": "SELECT name, cursor, scope FROM sources ORDER BY name",
    "staged": "SELECT count(*) FROM observations",
    "counts": "SELECT type, live FROM counts ORDER BY type",
}


def state(url: str) -> dict[str, list[Any]]:
    """Everything that a synchronization leaves, without the times and without who did it."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {name: [list(row) for row in connection.execute(text(query))] for name, query in _TABLES.items()}
    engine.dispose()
    for row in found["resources"]:
        row[-1] = {name: value for name, value in orjson.loads(row[-1]).items() if name != "meta"}
    return found
