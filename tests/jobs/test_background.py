"""Threads work off what is sent, on the queue of each kind of database, and stop in order."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from scim_server.admin.jobs import Job, JobRef, Jobs, JobStatus
from scim_server.domain.times import SystemClock
from scim_server.jobs.queue import JobQueue, open_queue
from scim_server.jobs.service import Background
from scim_server.jobs.sweeper import Sweeper
from scim_server.jobs.worker import Done, Work
from scim_server.reconciler.runs import Progress, ShouldStop
from scim_server.store.migration import differences
from tests.jobs.conftest import Office, nothing

_PATIENCE = 20.0


@pytest.fixture
def queue(office: Office, database_url: str, tmp_path: Path) -> Iterator[JobQueue]:
    office.clock = SystemClock()  # type: ignore[assignment]  # threads wait for real time
    queue = open_queue(database_url, tmp_path)
    office.jobs = Jobs(office.database, office.clock, queue.send)
    yield queue
    queue.close()


def background(office: Office, queue: JobQueue, work: Work) -> Background:
    sweeper = Sweeper(office.database, office.clock, office.schedules, queue.send)
    return Background(queue, office.worker(work), sweeper, threads=2)


def test_a_job_that_is_sent_is_done_by_a_thread(office: Office, queue: JobQueue) -> None:
    done = Event()

    def work(_job: Job, _progress: Progress, _should_stop: ShouldStop) -> Done:
        done.set()
        return Done()

    threads = background(office, queue, work)
    threads.start()
    job = office.preview()
    assert done.wait(_PATIENCE)
    assert threads.stop(_PATIENCE)
    assert office.look_at(job).status is JobStatus.DONE


def test_a_job_nobody_was_told_of_is_found_at_the_start(office: Office, queue: JobQueue) -> None:
    office.jobs = Jobs(office.database, office.clock, lambda _ref: None)
    job = office.preview()
    done = Event()

    def work(_job: Job, _progress: Progress, _should_stop: ShouldStop) -> Done:
        done.set()
        return Done()

    threads = background(office, queue, work)
    threads.start()
    assert done.wait(_PATIENCE)
    assert threads.stop(_PATIENCE)
    assert office.look_at(job).status is JobStatus.DONE


def test_a_running_job_stops_in_order_and_the_next_start_goes_on_with_it(office: Office, queue: JobQueue) -> None:
    started = Event()

    def work(_job: Job, _progress: Progress, should_stop: ShouldStop) -> Done:
        started.set()
        pause = Event()
        while not should_stop():
            pause.wait(0.01)
        return Done(stopped=True)

    threads = background(office, queue, work)
    threads.start()
    job = office.preview()
    assert started.wait(_PATIENCE)
    assert threads.stop(_PATIENCE)
    assert office.look_at(job).status is JobStatus.QUEUED

    again = background(office, queue, nothing)
    assert again._sweeper.sweep(queue_is_empty=True) == [job.ref]
    again.start()
    again.stop(_PATIENCE)


def test_a_message_says_where_a_job_lies_and_nothing_else(office: Office, queue: JobQueue) -> None:
    queue.send(JobRef(1, "abc"))
    stored = queue._huey.storage.enqueued_items()
    assert bytes(stored[-1]).endswith(b'[1,"abc"]]')
    assert not queue.is_empty()


def test_the_queue_leaves_the_tables_of_the_server_alone(office: Office, queue: JobQueue, database_url: str) -> None:
    queue.send(JobRef(1, "abc"))
    assert differences(database_url) == []


def test_several_processes_may_open_the_queue_first(office: Office, database_url: str, tmp_path: Path) -> None:
    queues = [open_queue(database_url, tmp_path) for _ in range(3)]
    queues[0].send(JobRef(1, "abc"))
    assert [each.is_empty() for each in queues] == [False, False, False]
    for each in queues:
        each.close()
