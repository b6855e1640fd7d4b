"""The databases the tests run on: SQLite in a temporary file, PostgreSQL in a temporary cluster of its own.

A cluster belongs to one test process, listens on a Unix socket that only the tests can reach, and ends with that
process even if it is killed. Set SCIM_REQUIRE_SERVICES=1 where everything must be there: what is missing is then a
failure, not a skip.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from scim_server.store import migration

_numbers = count(1)


def service_missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where services are required."""
    if os.environ.get("SCIM_REQUIRE_SERVICES") == "1":
        pytest.fail(f"a required service is missing: {reason}")
    pytest.skip(reason)


class PostgresCluster:
    """A running PostgreSQL."""

    def __init__(self, binaries: Path, directory: Path) -> None:
        self.directory = directory
        self._as_nobody_special = _drop_root(directory)
        data = directory / "data"
        self._run(binaries / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--no-locale", "--auth=trust", "-N")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": directory,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            "max_connections": "60",
            "autovacuum": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (directory / "log").open("w") as log:
            self._server = subprocess.Popen(
                [*self._as_nobody_special, "setpriv", "--pdeathsig=INT", binaries / "postgres", "-D", data, *options],
                stdout=log,
                stderr=log,
                cwd=directory,
            )
        self._wait()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.directory}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(host=str(self.directory), user="postgres", dbname=database, autocommit=True)

    def create(self) -> str:
        """A new database without tables; its name."""
        name = f"test_{next(_numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        return name

    def empty(self, database: str) -> None:
        """Every table but the schema version is empty, numbering starts anew, and nobody else is connected.

        Deleting from tables with few rows takes a tenth of the time of TRUNCATE or of a copy from a template.
        """
        with self.connect(database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("SET session_replication_role = replica")  # no foreign key decides the order
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchall()
            connection.execute("; ".join(f"DELETE FROM {name}" for (name,) in tables))
            connection.execute(
                "SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences"
                " WHERE schemaname = 'public' AND last_value IS NOT NULL"
            )

    def drop(self, database: str) -> None:
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)")

    def stop(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def _run(self, *command: object) -> None:
        arguments = [str(part) for part in (*self._as_nobody_special, *command)]
        done = subprocess.run(arguments, capture_output=True, text=True, cwd=self.directory)
        assert done.returncode == 0, done.stderr

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                log = (self.directory / "log").read_text()
                assert self._server.poll() is None, log
                assert time.monotonic() < deadline, log
                time.sleep(0.02)  # nothing announces a started server; this is the start, not a test


def _drop_root(directory: Path) -> list[str]:
    """The command prefix that leaves root, which PostgreSQL refuses to run as; the directory is handed over."""
    if os.geteuid() != 0:
        return []
    shutil.chown(directory, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def _newest_binaries() -> Path | None:
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """A cluster of this test process."""
    binaries = _newest_binaries()
    if binaries is None:
        service_missing("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin)")
    if shutil.which("setpriv") is None:
        service_missing("setpriv (util-linux) is not installed")
    directory = Path(tempfile.mkdtemp(prefix="scim-pg-"))  # short: a socket's path has at most 107 bytes
    cluster = None
    try:
        cluster = PostgresCluster(binaries, directory)
        yield cluster
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresCluster) -> str:
    """The URL of an empty database that this test process has for itself."""
    return postgres.url(postgres.create())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migration.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_database(postgres: PostgresCluster) -> str:
    """The name of a PostgreSQL database with all tables; its rows go before each test."""
    name = postgres.create()
    migration.upgrade(postgres.url(name))
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database: all tables, no rows."""
    path = tmp_path / "scim.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres: PostgresCluster, postgres_database: str) -> str:
    """A PostgreSQL database with all tables and no rows."""
    postgres.empty(postgres_database)
    return postgres.url(postgres_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind: all tables, no rows."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database of each kind without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)
