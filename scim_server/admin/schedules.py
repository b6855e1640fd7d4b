"""Schedules: when sources are read by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.jobs import JobRef, PreviewRequest, add_preview
from scim_server.domain.times import Clock, from_text, to_text
from scim_server.domain.timetable import InvalidRule, parse_rule
from scim_server.store.admin import jobs as stored_jobs
from scim_server.store.admin import schedules as stored_schedules
from scim_server.store.admin import sources as stored_sources
from scim_server.store.admin.schedules import StoredSchedule
from scim_server.store.engine import Database

OFF = "off"
SCHEDULED = "schedule"
"""The actor of runs that nobody asked for by hand."""

FULL_EVERY = timedelta(days=1)
"""Incremental reads cannot see everything (a move out of the base, for one), so one run a day reads all."""

_NO_TENANT = 0  # a session for statements that stand above the tenants


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a source is read next, and by which rule."""

    source: str
    rule: str
    next_run_at: datetime


class Schedules:
    """What administrators do with schedules, and the tick that starts the runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(self, tenant: int) -> list[Schedule]:
        """Every schedule of the tenant, by source."""
        with self._database.reading(tenant) as session:
            return [
                Schedule(stored.source, stored.rule, from_text(stored.next_run_at))
                for stored in stored_schedules.list_all(session)
            ]

    def find(self, tenant: int, source: str) -> Schedule | None:
        """The schedule of the source of that name."""
        return next((schedule for schedule in self.list(tenant) if schedule.source == source), None)

    def put(self, tenant: int, source: str, text: str) -> Schedule | None:
        """The source has this schedule, or none after "off". Raises NotThere, and Refused where the rule is none."""
        with self._database.writing(tenant) as session:
            stored = stored_sources.find(session, source)
            if stored is None:
                raise NotThere(f"there is no source {source!r}; `scim-server source list` shows all")
            if text.strip().lower() == OFF:
                stored_schedules.remove(session, stored.id)
                return None
            if stored.kind in ("local", "scim"):
                raise Refused(f"{source!r} is not read: whoever pushes decides when")
            try:
                rule = parse_rule(text)
            except InvalidRule as error:
                raise Refused(str(error)) from None
            at = rule.next_after(self._clock.now())
            stored_schedules.put(session, stored.id, rule=str(rule), next_run_at=to_text(at))
        return Schedule(source, str(rule), at)

    def start_due(self) -> Sequence[JobRef]:
        """Every run whose time has come waits for a worker; of several processes one starts it.

        While a run of the source waits or runs, its next one is left out.
        """
        with self._database.reading(_NO_TENANT) as session:
            due = stored_schedules.due(session, to_text(self._clock.now()))
        return [started for schedule in due if (started := self._start(schedule)) is not None]

    def _start(self, schedule: StoredSchedule) -> JobRef | None:
        now = self._clock.now()
        after = parse_rule(schedule.rule).next_after(now)
        with self._database.writing(schedule.tenant_id) as session:
            source = schedule.source_id
            seen = schedule.next_run_at
            if not stored_schedules.move_on(session, source, seen=seen, next_run_at=to_text(after)):
                return None
            if stored_jobs.unfinished(session, source):
                return None
            last = stored_schedules.last_full_read(session, source)
            request = PreviewRequest(full=last is None or from_text(last) <= now - FULL_EVERY, confirm=True)
            return add_preview(session, source, request, actor=SCHEDULED, now=now).ref
