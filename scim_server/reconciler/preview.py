"""Preview: read a directory, stage what was read, and compute the plan that apply will carry out."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from scim_server.domain.breakers import History, PlanFacts, Tripped, evaluate
from scim_server.domain.observations import DirectoryReader, End, ReadEnd, ReadFailed
from scim_server.domain.plan import PlanStatus
from scim_server.domain.policies import ImportMode
from scim_server.domain.times import Clock, to_text
from scim_server.reconciler import reading
from scim_server.reconciler.absence import look_for_missing
from scim_server.reconciler.computing import Computation
from scim_server.reconciler.holding import Hold, take_hold
from scim_server.reconciler.outcome import store_outcome, summary_of
from scim_server.reconciler.runs import PlanRequest, PlanSummary, Progress, ShouldStop
from scim_server.reconciler.sources import PulledSource, load_source
from scim_server.reconciler.tally import Base, tally
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database, Session
from scim_server.store.identities import plan_items, plans, staging
from scim_server.store.identities.leases import release_lease

_DAY = timedelta(hours=24)


class Preview:
    """Plans for pulled sources; writes staging and plan rows and nothing else."""

    def __init__(self, database: Database, registry_of: Callable[[int], SchemaRegistry], clock: Clock) -> None:
        self._database = database
        self._registry_of = registry_of
        self._clock = clock

    def run(
        self, request: PlanRequest, reader: DirectoryReader, progress: Progress, should_stop: ShouldStop
    ) -> PlanSummary:
        """The plan is stored and ready, blocked, cancelled or failed.

        Raises NotFound for a source that does not exist, SourceBusy where another run holds the source, LeaseLost where
        another worker took over.
        """
        hold, source = self._start(request)
        attempt = _Attempt(hold, source, self._registry_of(request.tenant), request, reader, progress, should_stop)
        try:
            status, reason = attempt.carry_out()
        except reading.Stopped:
            status, reason = PlanStatus.CANCELLED, "The preview was cancelled."
        except ReadFailed as failed:
            status, reason = PlanStatus.FAILED, str(failed)
        if status in (PlanStatus.CANCELLED, PlanStatus.FAILED):
            with hold.transaction() as session:
                plans.set_status(session, hold.plan, status.value, reason)
                staging.clear(session, hold.plan)
                release_lease(session, hold.source, hold.token)
        with self._database.reading(request.tenant) as session:
            return summary_of(session, hold.plan)

    def _start(self, request: PlanRequest) -> tuple[Hold, PulledSource]:
        """The plan is reading and holds its source; what an interrupted attempt left is gone."""
        plan = request.plan_id or str(uuid4())
        with self._database.writing(request.tenant) as session:
            source = load_source(session, request.source_id)
            hold = take_hold(self._database, self._clock, session, source.id, plan)
            staging.clear(session, plan)
            plans.forget_plan(session, plan)
            plans.start_plan(
                session,
                id=plan,
                source_id=source.id,
                mode="objects" if request.objects else "full" if request.full else "changes",
                actor=request.actor,
                config_hash=source.config_hash,
                mapping_hash=source.mapping_hash,
                cursor_before=source.stored.cursor,
                created_at=to_text(self._clock.now()),
            )
        return hold, source


class _Attempt:
    """One way from the first page to the stored plan."""

    def __init__(
        self,
        hold: Hold,
        source: PulledSource,
        registry: SchemaRegistry,
        request: PlanRequest,
        reader: DirectoryReader,
        progress: Progress,
        should_stop: ShouldStop,
    ) -> None:
        self._hold = hold
        self._source = source
        self._registry = registry
        self._request = request
        self._reader = reader
        self._progress = progress
        self._should_stop = should_stop

    def carry_out(self) -> tuple[PlanStatus, str]:
        """The plan is ready or blocked. Raises ReadFailed and Stopped."""
        end = self._read()
        read = self._prepare(end)
        computation = Computation(
            hold=self._hold,
            source=self._source,
            registry=self._registry,
            reader=self._reader,
            full_read=end.full,
            progress=self._progress,
            should_stop=self._should_stop,
        )
        if end.full and end.end is End.COMPLETE:
            computation.seq = look_for_missing(self._hold, self._source, self._reader, self._should_stop, 0)
        computation.run(sum(read.values()))
        return self._finish(end, read, computation), end.reason

    def _read(self) -> ReadEnd:
        if self._request.objects:
            ids = list(dict.fromkeys(self._request.objects))
            reading.look_up(self._hold, self._reader, self._source.config_hash, ids, origin="read")
            return ReadEnd(End.COMPLETE, full=False)
        return reading.read_pages(
            self._hold,
            self._reader,
            self._source.config_hash,
            cursor=self._source.stored.cursor,
            full=self._request.full,
            progress=self._progress,
            should_stop=self._should_stop,
        )

    def _prepare(self, end: ReadEnd) -> dict[str, int]:
        """What was read is known, and what earlier runs withheld is staged beside it; objects read of each kind."""
        plan, source = self._hold.plan, self._source.id
        with self._hold.transaction() as session:
            if self._source.policy.import_mode is ImportMode.CHOSEN:
                staging.leave_unchosen(session, plan, source)
            read = staging.count_read(session, plan)
            complete = end.end is End.COMPLETE
            if not self._request.objects and not (end.full and complete):
                staging.replay_retries(session, plan, source, to_text(self._hold.clock.now()))
            plans.finish_reading(
                session,
                plan,
                full=end.full,
                complete=complete,
                cursor=end.cursor if complete else None,
                scope=end.scope,
                read=sum(read.values()),
                reason=end.reason,
            )
        return read

    def _finish(self, end: ReadEnd, read: dict[str, int], computation: Computation) -> PlanStatus:
        """The fingerprints, counts and breakers of the plan are stored; nothing is staged any more."""
        with self._hold.database.reading(self._hold.tenant) as session:
            base = self._base(session, read, computation)
            tripped = self._breakers(session, end, read, base)
        return store_outcome(self._hold, self._source, base, tripped)

    def _base(self, session: Session, read: dict[str, int], computation: Computation) -> Base:
        outside = staging.count_outside(session, self._hold.plan, self._source.id)
        return {
            kind: {
                "read": number,
                "out_of_scope": outside.get(kind, 0),
                "unchanged": number - outside.get(kind, 0) - computation.seen.get(kind, 0),
            }
            for kind, number in read.items()
        }

    def _breakers(self, session: Session, end: ReadEnd, read: dict[str, int], base: Base) -> list[Tripped]:
        plan, source = self._hold.plan, self._source
        counts = tally(session, plan, base)["User"]
        removals, renames, _ = plan_items.count_facts(session, plan)
        last = plans.last_complete(session, source.id)
        facts = PlanFacts(
            linked=plans.count_linked(session, source.id),
            read=sum(read.values()),
            full=end.full and end.end is End.COMPLETE,
            removals=removals,
            identity_changes=renames,
            duplicates=counts.duplicated,
            errors=counts.errors,
            scope_changed=bool(last and end.full and last[2] and last[2] != end.scope),
            mapping_changed=bool(last and last[1] != source.mapping_hash),
            protected=plan_items.count_protected_removals(session, plan),
        )
        history = History(
            last_complete_read=last[0] if last else None,
            removals_24h=plans.removed_since(session, source.id, to_text(self._hold.clock.now() - _DAY)),
        )
        return evaluate(facts, history, source.policy.limits)
