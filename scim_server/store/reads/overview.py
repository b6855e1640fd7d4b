"""What the first page of the console counts."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import bindparam, func, literal_column, select

from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import changes, counts, resources


class ResourceCounts(NamedTuple):
    """Live users and groups; ``inactive`` users are among the users."""

    users: int
    inactive: int
    groups: int


# Literal positions: with bound ones PostgreSQL does not see that both places name the same day.
_DAY = func.substr(changes.c.at, literal_column("1"), literal_column("10"))
_ACTIVITY = Statement(
    select(_DAY, func.count())
    .where(changes.c.tenant_id == bindparam("tenant"), changes.c.at >= bindparam("since"))
    .group_by(_DAY)
)
_LIVE = Statement(select(counts.c.type, counts.c.live).where(counts.c.tenant_id == bindparam("tenant")))
_INACTIVE = Statement(
    select(func.count()).where(
        resources.c.tenant_id == bindparam("tenant"),
        resources.c.type == "User",
        resources.c.state == "live",
        resources.c.active.is_(False),
    )
)


def count_resources(session: Session) -> ResourceCounts:
    """How many users and groups there are."""
    live: dict[str, int] = dict(session.all(_LIVE))
    inactive = session.one(_INACTIVE)
    return ResourceCounts(live.get("User", 0), inactive[0] if inactive else 0, live.get("Group", 0))


def count_changes(session: Session, days: Sequence[date]) -> list[int]:
    """How many changes there were on each of these days (in UTC, the oldest first)."""
    found: dict[str, int] = dict(session.all(_ACTIVITY, since=days[0].isoformat()))
    return [found.get(day.isoformat(), 0) for day in days]
