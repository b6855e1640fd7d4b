"""Holding a source for a run: every transaction of the run shows that it still does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from scim_server.domain.times import Clock, to_text
from scim_server.store.engine import Database, Session
from scim_server.store.identities.leases import renew_lease, take_lease

SILENT_FOR = timedelta(minutes=2)
"""A run that gave no sign of life for so long is dead; its page or transaction took seconds at most."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A run's hold on a source; ``token`` fences off a predecessor that only seemed dead."""

    database: Database
    clock: Clock
    tenant: int
    source: int
    plan: str
    token: int

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction of this run; raises LeaseLost where another worker has taken over."""
        with self.database.writing(self.tenant) as session:
            renew_lease(session, self.source, self.token, to_text(self.clock.now()))
            yield session


def take_hold(database: Database, clock: Clock, session: Session, source: int, plan: str) -> Hold:
    """The plan holds the source; raises SourceBusy."""
    now = clock.now()
    token = take_lease(session, source, plan, now=to_text(now), dead_since=to_text(now - SILENT_FOR))
    return Hold(database, clock, session.tenant, source, plan, token)
