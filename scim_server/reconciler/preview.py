"""Preview: read a directory, stage what was read, and compute the plan that apply will carry out."""

from collections.abc import Callable

from scim_server.domain.observations import DirectoryReader
from scim_server.domain.times import Clock
from scim_server.reconciler.runs import PlanRequest, PlanSummary, Progress, ShouldStop
from scim_server.scim.registry import SchemaRegistry
from scim_server.store.engine import Database


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
        raise NotImplementedError
