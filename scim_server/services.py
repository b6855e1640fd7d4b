"""Everything the composition root hands to the web layer, the command line and the workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scim_server.admin.administrators import Administrators
from scim_server.admin.jobs import Jobs
from scim_server.admin.schedules import Schedules
from scim_server.admin.secrets import Secrets
from scim_server.admin.sources import Sources
from scim_server.admin.tenants import Tenants
from scim_server.admin.tokens import TokenDirectory, Tokens
from scim_server.domain.observations import DirectoryReader
from scim_server.domain.times import Clock
from scim_server.metrics import Metrics
from scim_server.reconciler.push import Push
from scim_server.reconciler.resolutions import Resolutions
from scim_server.scim.registry import SchemaRegistry
from scim_server.settings import Settings
from scim_server.store.engine import Database
from scim_server.store.reads.cursors import Cursors
from scim_server.store.revisions import is_current


@dataclass(frozen=True)
class Administration:
    """What administrators do, one part for each thing they do it with.

    ``settings_of`` describes the settings of a kind of source in the words of a form, ``reader_of`` gives the reader of
    a source by tenant and source id; both raise Refused where nothing reads such sources.
    """

    administrators: Administrators
    tenants: Tenants
    sources: Sources
    tokens: Tokens
    schedules: Schedules
    jobs: Jobs
    settings_of: Callable[[str], Sequence[Any]]
    reader_of: Callable[[int, int], DirectoryReader]


@dataclass(frozen=True)
class Services:
    """The parts of a running server; frozen, so nobody below the composition root exchanges one."""

    settings: Settings
    clock: Clock
    database: Database
    tokens: TokenDirectory
    registry_of: Callable[[int], SchemaRegistry]
    push: Push
    resolutions: Resolutions
    cursors: Cursors
    metrics: Metrics
    secrets: Secrets
    admin: Administration

    def readiness(self) -> dict[str, bool]:
        """Whether the database answers and has the tables of this version."""
        reachable = self.database.is_reachable()
        return {"database": reachable, "migrations": reachable and is_current(self.database)}
