"""Statements about the sources of a tenant."""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, select, update

from scim_server.store.admin.inserts import insert_new
from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources, tokens
from scim_server.store.tables.identities import duplicates, links
from scim_server.store.tables.jobs import jobs, schedules
from scim_server.store.tables.sync import chosen, leases, observations, plan_items, plans, retries, told_references

_COLUMNS = (
    sources.c.id,
    sources.c.name,
    sources.c.kind,
    sources.c.rank,
    sources.c.settings,
    sources.c.secrets,
    sources.c.created_at,
)
_MINE = sources.c.tenant_id == bindparam("tenant")
_THIS = (_MINE, sources.c.id == bindparam("source_id"))

_ALL = Statement(select(*_COLUMNS).where(_MINE).order_by(sources.c.rank, sources.c.name))
_BY_NAME = Statement(select(*_COLUMNS).where(_MINE, sources.c.name == bindparam("name")))
_INSERT = insert_new(
    sources, "tenant_id", "name", "kind", "rank", "settings", "secrets", "created_at", returning=sources.c.id
)
_UPDATE = Statement(
    update(sources)
    .where(*_THIS)
    .values(rank=bindparam("rank"), settings=bindparam("settings"), secrets=bindparam("secrets"))
)
_DELETE = Statement(delete(sources).where(*_THIS))
_DELETE_STAGED = Statement(
    delete(observations).where(
        observations.c.tenant_id == bindparam("tenant"),
        observations.c.plan_id.in_(
            select(plans.c.id).where(
                plans.c.tenant_id == bindparam("tenant"), plans.c.source_id == bindparam("source_id")
            )
        ),
    )
)
_DELETE_ITS_OWN = [
    Statement(
        delete(table).where(table.c.tenant_id == bindparam("tenant"), table.c.source_id == bindparam("source_id"))
    )
    for table in (tokens, schedules, jobs, told_references, chosen, retries, leases, plan_items, plans)
]
_COUNT_USES = Statement(
    select(
        select(func.count())
        .where(links.c.tenant_id == bindparam("tenant"), links.c.source_id == bindparam("source_id"))
        .scalar_subquery(),
        select(func.count())
        .where(duplicates.c.tenant_id == bindparam("tenant"), duplicates.c.source_id == bindparam("source_id"))
        .scalar_subquery(),
    )
)


@dataclass(frozen=True, slots=True)
class StoredSource:
    """A row of ``sources``; ``settings`` is JSON text, ``secrets`` sealed text."""

    id: int
    name: str
    kind: str
    rank: int
    settings: str
    secrets: str
    created_at: str


def list_all(session: Session) -> list[StoredSource]:
    """Every source, the highest authority first."""
    return [StoredSource(*row) for row in session.all(_ALL)]


def find(session: Session, name: str) -> StoredSource | None:
    """The source of that name."""
    row = session.one(_BY_NAME, name=name)
    return StoredSource(*row) if row else None


def add(
    session: Session, *, name: str, kind: str, rank: int, settings: str, secrets: str, created_at: str
) -> int | None:
    """The id of the new source; None where the name is taken."""
    rows = session.all(
        _INSERT, name=name, kind=kind, rank=rank, settings=settings, secrets=secrets, created_at=created_at
    )
    return rows[0][0] if rows else None


def change(session: Session, source_id: int, *, rank: int, settings: str, secrets: str) -> None:
    """The source has these values."""
    session.run(_UPDATE, source_id=source_id, rank=rank, settings=settings, secrets=secrets)


def remove(session: Session, source_id: int) -> None:
    """The source is gone with its tokens, schedule, jobs and plans; no user, group or duplicate may refer to it."""
    session.run(_DELETE_STAGED, source_id=source_id)
    for statement in _DELETE_ITS_OWN:
        session.run(statement, source_id=source_id)
    session.run(_DELETE, source_id=source_id)


def count_uses(session: Session, source_id: int) -> tuple[int, int]:
    """How many links and how many duplicates refer to the source."""
    row = session.one(_COUNT_USES, source_id=source_id)
    return (row[0], row[1]) if row else (0, 0)
