"""What happens once a minute: due runs start, and jobs whose message or worker was lost are sent again."""

from collections.abc import Sequence

from scim_server.admin.jobs import Dispatch, JobRef
from scim_server.admin.schedules import Schedules
from scim_server.domain.times import Clock, to_text
from scim_server.store.admin import jobs as stored_jobs
from scim_server.store.engine import Database

_NO_TENANT = 0  # a session for statements that stand above the tenants


class Sweeper:
    """Watches over all tenants. Several processes may do so at once: rows decide who starts or works on what."""

    def __init__(self, database: Database, clock: Clock, schedules: Schedules, dispatch: Dispatch) -> None:
        self._database = database
        self._clock = clock
        self._schedules = schedules
        self._dispatch = dispatch

    def sweep(self, *, queue_is_empty: bool) -> Sequence[JobRef]:
        """Every due run is started and every waiting job is on its way to a worker; the jobs that were sent.

        While messages wait in the queue none is sent again: its workers are busy, and nothing is lost.
        """
        started = self._schedules.start_due()
        waiting = self._waiting() if queue_is_empty else started
        for ref in waiting:
            self._dispatch(ref)
        return waiting

    def _waiting(self) -> list[JobRef]:
        with self._database.reading(_NO_TENANT) as session:
            return [JobRef(*found) for found in stored_jobs.due(session, to_text(self._clock.now()))]
