"""Apply: carry out a confirmed plan, exactly as it was shown."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import orjson

from scim_server.domain.breakers import Tripped
from scim_server.domain.errors import Blocked, NotFound, PlanNotReady, StalePlan, WrongNumber
from scim_server.domain.observations import DirectoryReader
from scim_server.domain.plan import PlanStatus
from scim_server.domain.times import Clock, from_text, to_text
from scim_server.reconciler.carrying import Carrier
from scim_server.reconciler.closing import close
from scim_server.reconciler.holding import Hold, take_hold
from scim_server.reconciler.packs import Packs
from scim_server.reconciler.proposals import Origin
from scim_server.reconciler.references import resolve_managers, resolve_members
from scim_server.reconciler.runs import Approval, Progress, RunSummary, ShouldStop
from scim_server.reconciler.sources import PulledSource, load_source
from scim_server.reconciler.tally import counts_of
from scim_server.reconciler.withheld import keep
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database, Session
from scim_server.store.identities import plan_items, plans
from scim_server.store.identities.leases import release_lease
from scim_server.store.identities.plan_items import WRITING_GROUPS, WRITING_USERS
from scim_server.store.identities.plans import StoredPlan

_BATCH = 200
_CONFIRMABLE = frozenset((PlanStatus.READY, PlanStatus.BLOCKED, PlanStatus.CONFIRMED))
_RESUMABLE = frozenset((PlanStatus.APPLYING, PlanStatus.CANCELLED))
_OVER = frozenset((PlanStatus.APPLIED, PlanStatus.APPLIED_WITH_DRIFT))


class Apply:
    """Confirmed plans become users, groups and links; resumable, cancellable, exactly once."""

    def __init__(self, database: Database, registry_of: Callable[[int], SchemaRegistry], clock: Clock) -> None:
        self._database = database
        self._registry_of = registry_of
        self._clock = clock

    def run(
        self,
        tenant: int,
        plan_id: str,
        fingerprint: str,
        reader: DirectoryReader,
        progress: Progress,
        should_stop: ShouldStop,
        *,
        components: Collection[int] | None = None,
        approval: Approval | None = None,
        actor: str = "system",
    ) -> RunSummary:
        """Every pending item of the chosen components (None = all) is done, stale or an error; the cursor moved.

        Resumes a run that was interrupted; one that is over is told as it ended. Raises NotFound, PlanNotReady,
        StalePlan (the fingerprint does not fit, the plan expired or settings changed), Blocked (no approval),
        WrongNumber, SourceBusy and LeaseLost.
        """
        confirmation = _Confirmation(plan_id, fingerprint, components, approval, actor)
        started = self._start(tenant, confirmation)
        if isinstance(started, RunSummary):
            return started
        hold, source = started
        run = _Run(hold, source, self._registry_of(tenant), reader, progress, should_stop, actor)
        if run.work():
            close(hold, source.id, origin_of(hold, source, actor))
        else:
            with hold.transaction() as session:
                plans.set_status(
                    session, plan_id, PlanStatus.CANCELLED, "The run was cancelled; what is left can go on."
                )
                release_lease(session, hold.source, hold.token)
        with self._database.reading(tenant) as session:
            return summary_of(session, plan_id)

    def _start(self, tenant: int, confirmation: "_Confirmation") -> tuple[Hold, PulledSource] | RunSummary:
        """The plan is applying and holds its source, or the summary of one that is over."""
        refusal: StalePlan | None = None
        with self._database.writing(tenant) as session:
            plan = plans.load_plan(session, confirmation.plan_id)
            if plan is None:
                raise NotFound("there is no such plan")
            if plan.status in _OVER and plan.fingerprint == confirmation.fingerprint:
                return summary_of(session, plan.id)
            source = load_source(session, plan.source_id)
            refusal = confirmation.check(plan, source, to_text(self._clock.now()))
            if refusal is None:
                hold = take_hold(self._database, self._clock, session, plan.source_id, plan.id)
                if plan.status not in _RESUMABLE:
                    approver = confirmation.approval.by if confirmation.approval else None
                    plans.start_applying(session, plan.id, confirmation.actor, approver)
                    self._leave_unselected(session, hold, source, confirmation)
                else:
                    plans.set_status(session, plan.id, PlanStatus.APPLYING)
            elif plan.status in _CONFIRMABLE and plan.fingerprint == confirmation.fingerprint:
                plans.set_status(session, plan.id, confirmation.verdict, str(refusal))
        if refusal is not None:
            raise refusal
        return hold, source

    def _leave_unselected(
        self, session: Session, hold: Hold, source: PulledSource, confirmation: "_Confirmation"
    ) -> None:
        """Items of components that were not chosen are skipped, and kept for the next run."""
        if confirmation.components is None:
            return
        origin = origin_of(hold, source, confirmation.actor)
        while items := plan_items.unselected_items(session, hold.plan, confirmation.components, _BATCH):
            for item in items:
                keep(session, source.id, item, "unselected", origin)
                plan_items.set_item_status(session, hold.plan, item.seq, "skipped")


@dataclass(slots=True)
class _Confirmation:
    """What somebody confirmed; ``verdict`` is the status of a plan that turned out void."""

    plan_id: str
    fingerprint: str
    components: Collection[int] | None
    approval: Approval | None
    actor: str
    verdict: PlanStatus = PlanStatus.EXPIRED

    def check(self, plan: StoredPlan, source: PulledSource, now: str) -> StalePlan | None:
        """Why the plan is void, if it is. Raises PlanNotReady, StalePlan, Blocked and WrongNumber."""
        if plan.status not in _CONFIRMABLE | _RESUMABLE or not plan.fingerprint:
            raise PlanNotReady(f"the plan is {plan.status}")
        if plan.fingerprint != self.fingerprint:
            raise StalePlan("the fingerprint is not that of this plan")
        if plan.config_hash != source.config_hash:
            self.verdict = PlanStatus.SUPERSEDED
            return StalePlan("settings were changed since the preview; make a new one")
        if plan.status in _RESUMABLE:
            return None
        if plan.expires_at is not None and from_text(plan.expires_at) <= from_text(now):
            self.verdict = PlanStatus.EXPIRED
            return StalePlan("the plan has expired; make a new preview")
        if plan.status == PlanStatus.BLOCKED:
            self._check_approval([Tripped(*each) for each in orjson.loads(plan.blocked)])
        return None

    def _check_approval(self, tripped: list[Tripped]) -> None:
        if self.approval is None:
            raise Blocked(tripped)
        for breaker in tripped:
            if self.approval.numbers.get(breaker.name) != breaker.number:
                raise WrongNumber(f"the approval must repeat the number of {breaker.name}")


@dataclass(frozen=True, slots=True)
class _Run:
    """The work of a plan, transaction by transaction."""

    hold: Hold
    source: PulledSource
    registry: SchemaRegistry
    reader: DirectoryReader
    progress: Progress
    should_stop: ShouldStop
    actor: str

    def work(self) -> bool:
        """Every pending item is worked off; False where the run was asked to stop before."""
        packs = Packs(self.hold, Carrier(self.source, self.registry), self.reader, self.actor)
        with self.hold.database.reading(self.hold.tenant) as session:
            total = plan_items.count_pending(session, self.hold.plan)
        done = 0
        for phase in (WRITING_USERS, WRITING_GROUPS):
            while number := packs.carry_writing(phase):
                done += number
                self.progress(done, total)
                if self.should_stop():
                    return False
        while number := packs.carry_silent():
            done += number
            self.progress(done, total)
            if self.should_stop():
                return False
        return self._resolve_references()

    def _resolve_references(self) -> bool:
        while True:
            with self.hold.transaction() as session:
                origin = origin_of(self.hold, self.source, self.actor)
                found = resolve_members(session, self.source.id, origin)
                found += resolve_managers(session, self.source.id, self.registry, origin)
            if not found:
                return True
            if self.should_stop():
                return False


def origin_of(hold: Hold, source: PulledSource, actor: str) -> Origin:
    """The run as the change log names it, at this moment."""
    return Origin(source.id, actor, to_text(hold.clock.now()), channel="pull", plan=hold.plan)


def summary_of(session: Session, plan_id: str) -> RunSummary:
    """The summary of a plan that was applied, or partly so."""
    plan = plans.load_plan(session, plan_id)
    assert plan is not None  # noqa: S101 - this run has just worked on it
    counts = orjson.loads(plan.counts)
    return RunSummary(
        id=plan.id,
        source_id=plan.source_id,
        status=PlanStatus(plan.status),
        fingerprint=plan.fingerprint,
        counts=counts_of(counts.get("User", {})),
        group_counts=counts_of(counts.get("Group", {})),
        reason=plan.reason,
    )
