"""Apply: carry out a confirmed plan, exactly as it was shown."""

from collections.abc import Callable, Collection

from scim_server.domain.observations import DirectoryReader
from scim_server.domain.times import Clock
from scim_server.reconciler.runs import Approval, Progress, RunSummary, ShouldStop
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database


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

        Resumes a run that was interrupted. Raises NotFound, PlanNotReady, StalePlan (the fingerprint does not fit),
        Blocked (no approval), WrongNumber, SourceBusy and LeaseLost.
        """
        raise NotImplementedError
