"""The way of a database from one revision to another."""

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from scim_server.store import migrations, tables
from scim_server.store.engine import StoreUnavailable
from scim_server.store.revisions import newest
from scim_server.store.statistics import write_statistics
from scim_server.store.tables.base import metadata

_LOCK = 0x5C1_5E2  # any number that nothing else in the database locks


def upgrade(url: str, revision: str = "head") -> list[str]:
    """The database is at the revision; the ids of those that were applied, in order.

    Processes that upgrade at the same time do so one after the other, and all but the first find nothing to do. Either
    everything is applied or nothing. Raises StoreUnavailable.
    """
    with _locked(url) as connection:
        before = set(_applied(connection))
        command.upgrade(_config(connection), revision)
        if connection.dialect.name == "sqlite":
            write_statistics(connection)
        return [each for each in reversed(_applied(connection)) if each not in before]


def downgrade(url: str, revision: str) -> None:
    """The database is back at an earlier revision ("base" = empty); what the later ones stored is lost."""
    with _locked(url) as connection:
        command.downgrade(_config(connection), revision)


def differences(url: str) -> list[str]:
    """What the database has otherwise than this version of the server expects, in words; empty if it fits."""
    _import_tables()
    with _connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        at = context.get_current_revision()
        if at != newest():
            return [f"the database is at revision {at or 'none'}, this version needs {newest()}"]
        return [_describe(difference) for difference in compare_metadata(context, metadata)]


def _applied(connection: Connection) -> list[str]:
    """The revisions the database went through, the newest first."""
    at = MigrationContext.configure(connection).get_current_revision()
    if at is None:
        return []
    return [script.revision for script in ScriptDirectory.from_config(_config()).iterate_revisions(at, "base")]


@contextmanager
def _locked(url: str) -> Iterator[Connection]:
    """A transaction that no other migration runs beside."""
    _import_tables()
    with _connected(url) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection  # SQLite: BEGIN IMMEDIATE is the lock


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        Path(where.database or "").absolute().parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, object] = {"isolation_level": None, "timeout": 60}
    else:
        options = {"connect_timeout": 5}
    engine = create_engine(where, hide_parameters=True, poolclass=NullPool, connect_args=options)
    if engine.dialect.name == "sqlite":
        # pysqlite would commit before each DDL statement; so it is told to leave transactions alone.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        try:
            connection = engine.connect()
        except OperationalError as error:
            raise StoreUnavailable("the database cannot be reached") from error
        with connection:
            yield connection
    finally:
        engine.dispose()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _import_tables() -> None:
    """Every table is known to the metadata."""
    for module in pkgutil.iter_modules(tables.__path__, f"{tables.__name__}."):
        importlib.import_module(module.name)


def _describe(difference: object) -> str:
    """One line for a difference of alembic: its kind and the names in it."""
    if isinstance(difference, list):
        return "; ".join(_describe(each) for each in difference)
    if isinstance(difference, tuple):
        return " ".join(str(getattr(part, "name", part)) for part in difference if part is not None)
    return str(difference)
