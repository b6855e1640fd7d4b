"""kill -9 at every step of preview and apply, then resume: the same end state and counts as an undisturbed run.

Every transaction is left once before and once after its commit, by a real process that dies by SIGKILL.
"""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from scim_server.admin.jobs import JobRef, JobStatus
from scim_server.jobs.worker import Ended
from scim_server.store.engine import Database
from tests.jobs.killing import NEXT_DAY, TENANT, never, request, resume, run_and_die, set_up, state, worker
from tests.services import PostgresCluster

DAY = 2


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with capture_logs():
        yield


class Template:
    """A SQLite database with a directory on day two, whose run waits; copies of it are for single tests."""

    def __init__(self, url: str) -> None:
        self._file = Path(url.removeprefix("sqlite:///"))
        self.source = prepare(url)

    def copy(self, name: str) -> str:
        copy = self._file.with_name(name)
        shutil.copyfile(self._file, copy)
        return f"sqlite:///{copy}"

    def undisturbed(self) -> dict[str, Any]:
        """What the run leaves when nobody kills it."""
        url = self.copy("undisturbed.db")
        resume(url, self.source, DAY, after=timedelta())
        return state(url)


def prepare(url: str) -> int:
    source = set_up(url)
    database = Database(url)
    request(database, source)
    database.close()
    return source


def test_killed_at_every_step_and_resumed_it_ends_like_an_undisturbed_run(sqlite_url: str) -> None:
    template = Template(sqlite_url)
    expected = template.undisturbed()
    assert [run[0] for run in expected["runs"]] == ["applied", "applied"]
    moment = 1
    while run_and_die(url := template.copy("killed.db"), template.source, DAY, moment):
        resume(url, template.source, DAY)
        assert state(url) == expected, f"killed at moment {moment}"
        for rest in Path(url.removeprefix("sqlite:///")).parent.glob("killed.db*"):
            rest.unlink()
        moment += 1
    assert moment > 50, f"only {moment - 1} moments"


@pytest.mark.parametrize("moment", [2, 9, 20, 27, 35, 44])
def test_the_same_on_postgresql(postgresql_url: str, sqlite_url: str, moment: int) -> None:
    source = prepare(postgresql_url)
    assert run_and_die(postgresql_url, source, DAY, moment)
    resume(postgresql_url, source, DAY)
    assert state(postgresql_url) == Template(sqlite_url).undisturbed()


def test_two_workers_on_one_source_are_one_run_and_one_that_waits(database_url: str) -> None:
    source = set_up(database_url)
    database = Database(database_url)
    first, second = request(database, source), request(database, source)
    met: list[Ended | None] = []

    def meet() -> bool:
        """Asked by the first run between two of its transactions, with the source in its hands."""
        if not met:
            met.append(worker(database, DAY, NEXT_DAY).run(JobRef(TENANT, second.id), never))
        return False

    ended = worker(database, DAY, NEXT_DAY).run(JobRef(TENANT, first.id), meet)
    assert ended is not None
    assert ended.status is JobStatus.DONE
    [waiting] = met
    assert waiting is not None
    assert waiting.status is JobStatus.QUEUED
    assert "another run" in waiting.error
    database.close()
    resume(database_url, source, DAY)
    runs = [run[0] for run in state(database_url)["runs"]]
    assert len(runs) == 3
    assert set(runs) <= {"applied", "applied_with_drift"}


@pytest.mark.nightly
def test_every_step_on_postgresql(postgres: PostgresCluster, postgres_database: str, sqlite_url: str) -> None:
    expected = Template(sqlite_url).undisturbed()
    url, moment = postgres.url(postgres_database), 1
    while True:
        postgres.empty(postgres_database)
        source = prepare(url)
        if not run_and_die(url, source, DAY, moment):
            break
        resume(url, source, DAY)
        assert state(url) == expected, f"killed at moment {moment}"
        moment += 1
    assert moment > 50, f"only {moment - 1} moments"
