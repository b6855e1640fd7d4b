"""Everything the composition root hands to the web layer, the command line and the workers."""

from collections.abc import Callable
from dataclasses import dataclass

from scim_server.admin.tokens import TokenDirectory
from scim_server.domain.times import Clock
from scim_server.metrics import Metrics
from scim_server.reconciler.push import Push
from scim_server.scim.registry import SchemaRegistry
from scim_server.settings import Settings
from scim_server.store.engine import Database
from scim_server.store.reads.cursors import Cursors
from scim_server.store.revisions import is_current


@dataclass(frozen=True)
class Services:
    """The parts of a running server; frozen, so nobody below the composition root exchanges one."""

    settings: Settings
    clock: Clock
    database: Database
    tokens: TokenDirectory
    registry_of: Callable[[int], SchemaRegistry]
    push: Push
    cursors: Cursors
    metrics: Metrics

    def readiness(self) -> dict[str, bool]:
        """Whether the database answers and has the tables of this version."""
        reachable = self.database.is_reachable()
        return {"database": reachable, "migrations": reachable and is_current(self.database)}
