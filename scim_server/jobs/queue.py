"""The queue between those who ask and the workers: a message is where a job lies, nothing else.

huey keeps it in a SQLite file beside the database, or in a PostgreSQL schema of its own. Another engine takes another
class with ``send``, ``is_empty`` and ``consume``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from huey import Huey, PostgresHuey, SqliteHuey
from huey.consumer import Consumer
from huey.registry import Message
from huey.serializer import Serializer

from scim_server.admin.jobs import JobRef

_NAME = "scim-server"
_SCHEMA = "scim_server_queue"
_LONGEST_PAUSE = 1.0  # seconds between two looks into an empty queue

Handler = Callable[[JobRef], object]


class _Json(Serializer):  # type: ignore[misc]  # huey is untyped
    """Messages as JSON: what is in a queue may be read, and never executed (pickle is huey's default)."""

    def _serialize(self, data: Message) -> bytes:
        return orjson.dumps([data.id, data.name, data.args])

    def _deserialize(self, data: bytes) -> Message:
        id_, name, arguments = orjson.loads(data)
        return Message(id=id_, name=name, args=tuple(arguments), kwargs={}, retries=0, retry_delay=0)


class _Consumer(Consumer):  # type: ignore[misc]  # huey is untyped
    """A consumer that leaves the signals to whoever owns the process."""

    def _set_signal_handlers(self) -> None:
        pass


class JobQueue:
    """The queue of one server; every process opens its own."""

    def __init__(self, huey: Huey) -> None:
        self._huey = huey
        self._handler: Handler | None = None
        self._task = huey.task(name="work")(self._work)

    def send(self, ref: JobRef) -> None:
        """Some worker will be told of the job."""
        self._task(*ref)

    def is_empty(self) -> bool:
        """Whether every message has been taken."""
        return int(self._huey.pending_count()) == 0

    def consume(self, handler: Handler, threads: int) -> Consumer:
        """A consumer, not yet started, whose threads hand every job to ``handler``."""
        self._handler = handler
        return _Consumer(self._huey, workers=threads, periodic=False, max_delay=_LONGEST_PAUSE, scheduler_interval=60)

    def close(self) -> None:
        """Let go of the storage."""
        self._huey.storage.close()

    def _work(self, tenant: int, job: str) -> None:
        if self._handler is None:
            raise RuntimeError("this process only sends jobs")
        self._handler(JobRef(tenant, job))


def open_queue(database_url: str, data_dir: Path) -> JobQueue:
    """The queue that goes with the database: PostgreSQL carries its own, beside SQLite there is ``jobs.db``."""
    options: dict[str, Any] = {"results": False, "serializer": _Json()}
    if database_url.startswith("sqlite"):
        data_dir.mkdir(parents=True, exist_ok=True)
        return JobQueue(SqliteHuey(_NAME, filename=str(data_dir / "jobs.db"), timeout=15, **options))
    # blocking would hold a listening connection in every thread and leave it open
    return JobQueue(PostgresHuey(_NAME, connection=lambda: _connect(database_url), blocking=False, **options))


def _connect(database_url: str) -> Any:
    """A connection whose tables lie in a schema of their own, apart from the tables of the server."""
    import psycopg  # here, because only servers with PostgreSQL have it

    connection = psycopg.connect(database_url.replace("+psycopg", "", 1), autocommit=True, connect_timeout=5)
    if connection.execute("SELECT to_regnamespace(%s)", (_SCHEMA,)).fetchone() == (None,):
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (_SCHEMA,))  # several processes may start at once
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
        connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", (_SCHEMA,))
    connection.execute(f"SET search_path TO {_SCHEMA}")
    return connection
