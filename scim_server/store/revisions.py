"""Which revision a database is at, and which one this version of the server needs; without loading alembic."""

from functools import cache
from pathlib import Path

from sqlalchemy import column, select, table

from scim_server.store import migrations
from scim_server.store.engine import Database, StoreUnavailable
from scim_server.store.statements import Statement

_REVISION = Statement(select(column("version_num")).select_from(table("alembic_version")))


@cache
def newest() -> str:
    """The revision this version of the server works with: revisions are numbered, and so are their files."""
    versions = Path(migrations.__file__).parent / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))


def current(database: Database) -> str | None:
    """The revision the database is at; None for an empty one. Raises StoreUnavailable."""
    try:
        with database.reading(0) as session:
            row = session.one(_REVISION)
    except (StoreUnavailable, database.dialect.loaded_dbapi.Error):
        if not database.is_reachable():
            raise StoreUnavailable("the database cannot be reached or did not answer") from None
        return None  # it answers, and lacks the table
    return row[0] if row else None


def is_current(database: Database) -> bool:
    """Whether the database is there and at the revision this version works with; cheap enough for a probe."""
    try:
        return current(database) == newest()
    except StoreUnavailable:
        return False
