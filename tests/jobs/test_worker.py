"""A job is worked off once, by one worker at a time, whatever happens to the worker."""

import pytest

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.jobs import ApplyRequest, Job, JobKind, JobStatus
from scim_server.domain.errors import SourceBusy
from scim_server.domain.observations import ReadFailed
from scim_server.jobs.worker import Done
from scim_server.reconciler.runs import Progress, ShouldStop
from tests.jobs.conftest import Office, never, nothing, raising


class Killed(BaseException):
    """The process ends here."""


def test_a_job_waits_is_dispatched_and_done(office: Office) -> None:
    job = office.preview()
    assert office.sent == [job.ref]
    assert job.status is JobStatus.QUEUED
    ended = office.worker(nothing).run(job.ref, never)
    assert ended is not None
    assert office.look_at(job).status is JobStatus.DONE
    assert office.look_at(job).is_over


def test_only_one_of_two_workers_gets_a_job(office: Office) -> None:
    job = office.preview()
    seen = []

    def work(job: Job, _progress: Progress, _should_stop: ShouldStop) -> Done:
        seen.append(office.worker(nothing).run(job.ref, never))
        return Done()

    assert office.worker(work).run(job.ref, never) is not None
    assert seen == [None]
    assert office.worker(nothing).run(job.ref, never) is None, "a second message changes nothing"


def test_a_job_of_a_killed_worker_is_taken_up_after_its_lease(office: Office) -> None:
    job = office.preview()
    with pytest.raises(Killed):
        office.worker(raising(Killed())).run(job.ref, never)
    assert office.worker(nothing).run(job.ref, never) is None, "the lease still holds"
    office.clock.pass_by(minutes=3)
    assert office.worker(nothing).run(job.ref, never) is not None
    assert office.look_at(job).attempt == 2


def test_a_worker_that_only_seemed_dead_writes_nothing_more(office: Office) -> None:
    job = office.preview()

    def slow(_job: Job, progress: Progress, _should_stop: ShouldStop) -> Done:
        office.clock.pass_by(minutes=3)
        assert office.worker(nothing).run(job.ref, never) is not None
        return Done(error="late")

    assert office.worker(slow).run(job.ref, never) is None
    assert office.look_at(job).status is JobStatus.DONE
    assert office.look_at(job).error == ""


def test_a_job_that_kills_every_worker_is_given_up(office: Office) -> None:
    job = office.preview()
    for _ in range(5):
        with pytest.raises(Killed):
            office.worker(raising(Killed())).run(job.ref, never)
        office.clock.pass_by(minutes=3)
    office.worker(nothing).run(job.ref, never)
    assert office.look_at(job).status is JobStatus.FAILED
    assert "5 workers" in office.look_at(job).error


def test_progress_stands_in_the_row_when_the_work_ends(office: Office) -> None:
    job = office.preview()

    def work(_job: Job, progress: Progress, _should_stop: ShouldStop) -> Done:
        progress(7, 20)
        return Done()

    office.worker(work).run(job.ref, never)
    assert (office.look_at(job).done, office.look_at(job).total) == (7, 20)


def test_a_waiting_job_is_cancelled_at_once_and_never_starts(office: Office) -> None:
    job = office.preview()
    assert office.jobs.cancel(office.tenant, job.plan_id).status is JobStatus.CANCELLED
    assert office.worker(raising(AssertionError())).run(job.ref, never) is None


def test_a_running_job_is_asked_to_stop_and_ends_cancelled(office: Office) -> None:
    job = office.preview()

    def work(_job: Job, _progress: Progress, _should_stop: ShouldStop) -> Done:
        office.jobs.cancel(office.tenant, job.id)
        return Done(stopped=True)

    ended = office.worker(work).run(job.ref, never)
    assert ended is not None
    assert ended.status is JobStatus.CANCELLED
    with pytest.raises(Refused, match="over already"):
        office.jobs.cancel(office.tenant, job.id)


def test_cancelling_what_does_not_exist_says_so(office: Office) -> None:
    with pytest.raises(NotThere):
        office.jobs.cancel(office.tenant, "nothing")


def test_a_job_stopped_because_the_process_ends_waits_and_goes_on(office: Office) -> None:
    job = office.preview()

    def work(_job: Job, _progress: Progress, should_stop: ShouldStop) -> Done:
        return Done(stopped=should_stop())

    ended = office.worker(work).run(job.ref, lambda: True)
    assert ended is not None
    assert office.look_at(job).status is JobStatus.QUEUED
    office.worker(work).run(job.ref, never)
    assert office.look_at(job).status is JobStatus.DONE


def test_a_busy_source_makes_the_job_wait_a_little(office: Office) -> None:
    job = office.preview()
    office.worker(raising(SourceBusy("another run of this source is under way"))).run(job.ref, never)
    assert office.look_at(job).status is JobStatus.QUEUED
    assert office.worker(nothing).run(job.ref, never) is None
    office.clock.pass_by(seconds=20)
    assert office.worker(nothing).run(job.ref, never) is not None


def test_an_expected_failure_is_told_in_its_own_words(office: Office) -> None:
    job = office.preview()
    office.worker(raising(ReadFailed("The domain controller does not answer."))).run(job.ref, never)
    assert office.look_at(job).status is JobStatus.FAILED
    assert office.look_at(job).error == "The domain controller does not answer."


def test_an_unexpected_failure_names_the_job_to_look_for_and_no_values(office: Office) -> None:
    job = office.preview()
    office.worker(raising(KeyError("mira@example.com"))).run(job.ref, never)
    assert job.id in office.look_at(job).error
    assert "mira" not in office.look_at(job).error


def test_a_confirmed_preview_is_followed_by_its_apply(office: Office) -> None:
    job = office.preview(confirm=True)

    def work(_job: Job, _progress: Progress, _should_stop: ShouldStop) -> Done:
        return Done(then=ApplyRequest("f" * 64))

    ended = office.worker(work).run(job.ref, never)
    assert ended is not None
    follower = office.jobs.of_plan(office.tenant, job.plan_id)[-1]
    assert (follower.kind, follower.status) == (JobKind.APPLY, JobStatus.QUEUED)
    assert isinstance(follower.request, ApplyRequest)
    assert follower.request.fingerprint == "f" * 64
    assert office.sent == [job.ref, follower.ref]


def test_a_plan_is_not_applied_twice_at_once(office: Office) -> None:
    office.jobs.apply(office.tenant, office.source, "plan", ApplyRequest("f"), "tester")
    with pytest.raises(Refused, match="already"):
        office.jobs.apply(office.tenant, office.source, "plan", ApplyRequest("f"), "tester")
