"""Real processes: the server works off jobs beside its requests, a worker does it alone, and both end in order."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from scim_server.admin.jobs import Job, Jobs, JobStatus, PreviewRequest
from scim_server.admin.sources import SourceKind
from scim_server.cli.context import Context
from scim_server.jobs.queue import JobQueue, open_queue
from scim_server.settings import Settings
from tests.cli.test_serve import Server

_SECONDS = 60


class Asking:
    """A tenant with the sample directory, and somebody who asks for its synchronization."""

    def __init__(self, settings: Settings) -> None:
        self.context = Context(settings)
        self.tenant = self.context.tenant_id("default")
        self.source = self.context.sources.add(self.tenant, "corp", SourceKind.SAMPLE).id
        self.queue: JobQueue = open_queue(settings.database, settings.data_dir)
        self.jobs = Jobs(self.context.database, self.context.clock, self.queue.send)

    def close(self) -> None:
        self.queue.close()
        self.context.close()

    def request(self) -> Job:
        return self.jobs.preview(self.tenant, self.source, PreviewRequest(confirm=True), "tester")

    def wait(self, job: Job) -> list[Job]:
        """The jobs of the plan, as soon as it is applied."""
        pause = Event()
        for _ in range(_SECONDS * 10):
            found = self.jobs.of_plan(self.tenant, job.plan_id)
            if len(found) == 2 and all(each.is_over for each in found):
                return found
            pause.wait(0.1)  # another process does the work, and only its row tells
        raise AssertionError(f"the jobs are not done: {[each.status for each in found]}")


@pytest.fixture
def asking(sqlite_url: str, tmp_path: Path) -> Iterator[Asking]:
    asking = Asking(Settings(database_url=sqlite_url, data_dir=tmp_path))
    yield asking
    asking.close()


def test_the_server_works_off_jobs_and_ends_in_peace(asking: Asking, tmp_path: Path) -> None:
    with Server(tmp_path) as server:  # its database is scim.db in that folder, and so is that of the fixture
        assert server.get("/readyz").status_code == 200
        applied = asking.wait(asking.request())
        server.stop()
        assert server.process.returncode == 0
    assert [job.status for job in applied] == [JobStatus.DONE, JobStatus.DONE]
    log = (tmp_path / "log").read_text()
    assert "worker.stopped" in log
    assert "harbour.example" not in log, "no values of people in logs"


def test_a_worker_alone_works_off_jobs_and_ends_on_sigterm(asking: Asking, tmp_path: Path) -> None:
    job = asking.request()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_SERVER_")}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "scim_server.cli.main", "worker"],
            env={**inherited, "SCIM_SERVER_DATA_DIR": str(tmp_path)},
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
    try:
        applied = asking.wait(job)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=_SECONDS)
    assert code == 0
    assert [each.status for each in applied] == [JobStatus.DONE, JobStatus.DONE]
