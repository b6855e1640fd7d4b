"""The database behind the server: connections, transactions and the one place that adds the tenant to a statement."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from scim_server.store.connections import Connection, Connections, NoneFree
from scim_server.store.statements import Compiled, Statement

Row = tuple[Any, ...]
_LOST = ("40P01", "40001")  # deadlock_detected, serialization_failure (PostgreSQL appendix A)
_SPARE = 10  # connections for what does not run in a thread of the web server


class StoreUnavailable(Exception):
    """The database cannot be reached, or was busy for longer than a request may wait."""


class TransactionLost(StoreUnavailable):
    """The database ended the transaction in favour of another (a deadlock); the same work may succeed at once."""


class RowRefused(Exception):
    """A row breaks a constraint of the database: a state that the rules above it did not foresee."""


class Session:
    """One tenant's view of the database for the length of one transaction (or of one read).

    Every statement gets the parameter ``tenant``; there is no other way to run one, so none can forget it.
    """

    __slots__ = ("_connection", "dialect", "tenant")

    def __init__(self, connection: Any, dialect: Dialect, tenant: int) -> None:
        self._connection = connection
        self.dialect = dialect
        self.tenant = tenant

    def all(self, statement: Statement | Compiled, **values: Any) -> list[Row]:
        """Every row the statement gives."""
        return self._execute(statement, values).fetchall()  # type: ignore[no-any-return]  # DB-API cursors are untyped

    def one(self, statement: Statement | Compiled, **values: Any) -> Row | None:
        """The first row, or None."""
        return self._execute(statement, values).fetchone()  # type: ignore[no-any-return]  # DB-API cursors are untyped

    def run(self, statement: Statement | Compiled, **values: Any) -> int:
        """Run a change; the number of rows it touched."""
        return self._execute(statement, values).rowcount  # type: ignore[no-any-return]  # DB-API cursors are untyped

    def stream(self, statement: Statement | Compiled, **values: Any) -> Iterator[Row]:
        """Rows one after the other, without holding them all."""
        return iter(self._execute(statement, values))

    def many(self, statement: Statement | Compiled, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run a change once for each mapping; the number of rows touched."""
        if not rows:
            return 0
        compiled = statement if isinstance(statement, Compiled) else statement.compiled(self.dialect)
        cursor = self._connection.cursor()
        tenant = self.tenant
        cursor.executemany(
            compiled.sql, [compiled.arguments({"tenant_id": tenant, "tenant": tenant, **row}) for row in rows]
        )
        return cursor.rowcount  # type: ignore[no-any-return]  # DB-API cursors are untyped

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What happens within is undone alone when it raises; the transaction goes on.

        Raises RowRefused where a constraint of the database turns a row away.
        """
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException as error:
            self._connection.execute("ROLLBACK TO SAVEPOINT part")
            self._connection.execute("RELEASE SAVEPOINT part")
            driver = self.dialect.loaded_dbapi
            if isinstance(error, driver.IntegrityError | driver.DataError):
                raise RowRefused(f"the database refused a row ({type(error).__name__})") from error
            raise
        self._connection.execute("RELEASE SAVEPOINT part")

    def _execute(self, statement: Statement | Compiled, values: dict[str, Any]) -> Any:
        compiled = statement if isinstance(statement, Compiled) else statement.compiled(self.dialect)
        values["tenant"] = values["tenant_id"] = self.tenant
        return self._connection.execute(compiled.sql, compiled.arguments(values))


class _Use:
    """A connection lent to one session; errors of the driver leave it in the words of this module."""

    __slots__ = ("_connection", "_database", "_tenant")

    def __init__(self, database: "Database", tenant: int) -> None:
        self._database = database
        self._tenant = tenant

    def __enter__(self) -> Session:
        self._connection = self._database.lend()
        return Session(self._connection, self._database.dialect, self._tenant)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._database.take_back(self._connection, error)


class _Transaction(_Use):
    """The same within a transaction."""

    __slots__ = ()

    def __enter__(self) -> Session:
        session = super().__enter__()
        self._execute("BEGIN IMMEDIATE" if self._database.is_sqlite else "BEGIN")
        return session

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._execute("COMMIT" if error is None else "ROLLBACK")
        self._database.take_back(self._connection, error)

    def _execute(self, command: str) -> None:
        try:
            self._connection.execute(command)
        except BaseException as error:
            self._database.take_back(self._connection, error)
            raise


class Database:
    """An engine with the two ways to use it: ``reading`` and ``writing``."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.engine = _engine(url)
        self.dialect = self.engine.dialect
        self.is_sqlite = self.dialect.name == "sqlite"
        self._connections = Connections(self._open, pool_size + _SPARE)

    def reading(self, tenant: int) -> AbstractContextManager[Session]:
        """A session for queries; each statement sees what is committed when it runs."""
        return _Use(self, tenant)

    def writing(self, tenant: int) -> AbstractContextManager[Session]:
        """A transaction: committed when the block ends, rolled back when it raises.

        SQLite takes the write lock at once (BEGIN IMMEDIATE): a deferred one fails with "database is locked" as soon as
        two writers meet, whatever the time-out.
        """
        return _Transaction(self, tenant)

    def _open(self) -> Connection:
        borrowed = self.engine.raw_connection()
        borrowed.detach()  # ours from now on
        return borrowed.dbapi_connection

    def lend(self) -> Connection:
        """A connection of the driver for one session; raises StoreUnavailable."""
        try:
            return self._connections.lend()
        # raw_connection() lets the driver's own errors through, what it runs at first wraps them
        except (OperationalError, self.dialect.loaded_dbapi.OperationalError) as error:
            raise StoreUnavailable("the database cannot be reached") from error
        except NoneFree as error:
            raise StoreUnavailable("all connections to the database are in use") from error

    def take_back(self, connection: Connection, error: BaseException | None) -> None:
        """The session has ended, with ``error`` if that is not None; raises StoreUnavailable for one of the driver."""
        if not isinstance(error, self.dialect.loaded_dbapi.OperationalError):
            self._connections.give_back(connection)
            return
        lost = getattr(error, "sqlstate", None) in _LOST
        if lost:
            self._connections.give_back(connection)
        else:
            self._connections.discard(connection)
            if not self.is_sqlite:
                self._connections.close()  # after a restart of the server every open connection is dead
        kind = TransactionLost if lost else StoreUnavailable
        raise kind(f"the database did not answer ({type(error).__name__})") from error

    def is_reachable(self) -> bool:
        """Whether a trivial query is answered."""
        try:
            with self.reading(0) as session:
                return session._connection.execute("SELECT 1").fetchone() is not None
        except (StoreUnavailable, DBAPIError):
            return False

    def close(self) -> None:
        """Close every open connection."""
        self._connections.close()
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    return create_engine(
        url,
        hide_parameters=True,
        poolclass=NullPool,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": 5, "options": "-c jit=off -c statement_timeout=60000 -c lock_timeout=15000"},
    )


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=NullPool,
        pool_reset_on_return=None,
        connect_args={"check_same_thread": False, "isolation_level": None, "cached_statements": 512},
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun and ended by Database.writing alone
        for pragma in (
            "busy_timeout=15000",
            "journal_mode=wal",
            "foreign_keys=on",
            "synchronous=normal",
            "cache_size=-16384",
            "wal_autocheckpoint=4000",  # 16 MB: at the default of 4 MB checkpoints are a tenth of the cost of a change
            "mmap_size=67108864",
            "temp_store=memory",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine
