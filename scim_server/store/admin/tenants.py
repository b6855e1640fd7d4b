"""Statements about tenants. They stand above the tenants themselves: any session may run them."""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from scim_server.store.admin.inserts import insert_new
from scim_server.store.engine import Row, Session
from scim_server.store.statements import Statement
from scim_server.store.tables import administration, console, identities, jobs, sync
from scim_server.store.tables.base import metadata
from scim_server.store.tables.identities import tenants

_COLUMNS = (tenants.c.id, tenants.c.name, tenants.c.settings, tenants.c.created_at)
_ALL = Statement(select(*_COLUMNS).order_by(tenants.c.name))
_BY_NAME = Statement(select(*_COLUMNS).where(tenants.c.name == bindparam("name")))
_BY_ID = Statement(select(*_COLUMNS).where(tenants.c.id == bindparam("tenant")))
_INSERT = insert_new(tenants, "name", "settings", "created_at", returning=tenants.c.id)
_SET_SETTINGS = Statement(
    update(tenants).where(tenants.c.id == bindparam("tenant")).values(settings=bindparam("settings"))
)
_DELETE = Statement(delete(tenants).where(tenants.c.id == bindparam("tenant")))
# Every module of tables, so that the metadata knows them all.
_TABLES = (administration, console, identities, jobs, sync)


@dataclass(frozen=True, slots=True)
class StoredTenant:
    """A row of ``tenants``; ``settings`` is the JSON text."""

    id: int
    name: str
    settings: str
    created_at: str


def list_all(session: Session) -> list[StoredTenant]:
    """Every tenant by name."""
    return [StoredTenant(*row) for row in session.all(_ALL)]


def find(session: Session, name: str) -> StoredTenant | None:
    """The tenant of that name."""
    return _tenant(session.one(_BY_NAME, name=name))


def load(session: Session) -> StoredTenant | None:
    """The tenant of the session."""
    return _tenant(session.one(_BY_ID))


def add(session: Session, *, name: str, settings: str, created_at: str) -> int | None:
    """The id of the new tenant; None where the name is taken."""
    rows = session.all(_INSERT, name=name, settings=settings, created_at=created_at)
    return rows[0][0] if rows else None


def set_settings(session: Session, settings: str) -> None:
    """The session's tenant has these settings."""
    session.run(_SET_SETTINGS, settings=settings)


def remove(session: Session) -> None:
    """The session's tenant is gone, with everything in it."""
    for table in reversed(metadata.sorted_tables):
        if "tenant_id" in table.c:
            session.run(Statement(delete(table).where(table.c.tenant_id == bindparam("tenant"))))
    session.run(_DELETE)


def _tenant(row: Row | None) -> StoredTenant | None:
    return StoredTenant(*row) if row else None
