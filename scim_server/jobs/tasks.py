"""The two kinds of work: a preview makes a plan, an apply carries it out."""

from collections.abc import Callable, Mapping

from scim_server.admin.jobs import ApplyRequest, Job, JobKind, PreviewRequest
from scim_server.domain.observations import DirectoryReader
from scim_server.domain.plan import PlanStatus
from scim_server.domain.times import Clock
from scim_server.jobs.worker import Done, Work
from scim_server.reconciler.apply import Apply
from scim_server.reconciler.preview import Preview
from scim_server.reconciler.runs import Approval, PlanRequest, Progress, RunSummary, ShouldStop
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database

ReaderOf = Callable[[int, int], DirectoryReader]
"""The reader of a source, by tenant and source id; raises Refused where its settings are not usable."""


class Synchronization:
    """The work on plans, as jobs ask for it."""

    def __init__(
        self, database: Database, registry_of: Callable[[int], SchemaRegistry], clock: Clock, reader_of: ReaderOf
    ) -> None:
        self._preview = Preview(database, registry_of, clock)
        self._apply = Apply(database, registry_of, clock)
        self._reader_of = reader_of

    def works(self) -> Mapping[JobKind, Work]:
        """What to do for each kind of job."""
        return {JobKind.PREVIEW: self.preview, JobKind.APPLY: self.apply}

    def preview(self, job: Job, progress: Progress, should_stop: ShouldStop) -> Done:
        """The plan is there; where the job says so and no breaker holds it, its apply comes next."""
        request = job.request
        if not isinstance(request, PreviewRequest):
            raise TypeError("a preview job asks for a preview")
        asked = PlanRequest(
            tenant=job.tenant,
            source_id=job.source_id,
            plan_id=job.plan_id,
            full=request.full,
            objects=tuple(request.objects),
            actor=job.actor,
        )
        plan = self._preview.run(asked, self._reader_of(job.tenant, job.source_id), progress, should_stop)
        confirmed = request.confirm and plan.status is PlanStatus.READY
        return Done(
            plan,
            stopped=plan.status is PlanStatus.CANCELLED,
            error=_error(plan.status, plan.reason),
            then=ApplyRequest(plan.fingerprint) if confirmed else None,
        )

    def apply(self, job: Job, progress: Progress, should_stop: ShouldStop) -> Done:
        """The plan is carried out, as far as it was not before."""
        request = job.request
        if not isinstance(request, ApplyRequest):
            raise TypeError("an apply job asks for an apply")
        run = self._carry_out(job, request, progress, should_stop)
        return Done(run, stopped=run.status is PlanStatus.CANCELLED, error=_error(run.status, run.reason))

    def _carry_out(self, job: Job, request: ApplyRequest, progress: Progress, should_stop: ShouldStop) -> RunSummary:
        approval = Approval(request.approved_by, request.numbers) if request.approved_by else None
        return self._apply.run(
            job.tenant,
            job.plan_id,
            request.fingerprint,
            self._reader_of(job.tenant, job.source_id),
            progress,
            should_stop,
            components=request.components,
            approval=approval,
            actor=job.actor,
        )


def _error(status: PlanStatus, reason: str) -> str:
    """Why the job failed; "" where it did not."""
    return (reason or "the plan failed") if status is PlanStatus.FAILED else ""
