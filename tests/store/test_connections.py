"""Lending of connections: last in, first out, never more than allowed, and nobody waits for ever."""

from collections.abc import Callable
from itertools import count
from threading import Timer

import pytest

from scim_server.store import connections as module
from scim_server.store.connections import Connections, NoneFree


class Opened:
    """A connection that knows whether it is open."""

    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.2)


def later(act: Callable[[], None]) -> None:
    timer = Timer(0.03, act)
    timer.daemon = True
    timer.start()


def test_the_connection_that_came_back_last_is_lent_first() -> None:
    connections = Connections(Opened, 3)
    first, second = connections.lend(), connections.lend()
    connections.give_back(first)
    connections.give_back(second)
    assert [connections.lend(), connections.lend()] == [second, first]


def test_no_more_than_allowed_are_open_at_once() -> None:
    connections = Connections(Opened, 2)
    assert connections.lend() is not connections.lend()
    with pytest.raises(NoneFree):
        connections.lend()


def test_who_finds_all_lent_gets_the_next_that_comes_back() -> None:
    connections = Connections(Opened, 1)
    lent = connections.lend()
    later(lambda: connections.give_back(lent))
    assert connections.lend() is lent


def test_a_discarded_connection_is_closed_and_makes_room() -> None:
    connections = Connections(Opened, 1)
    dead = connections.lend()
    later(lambda: connections.discard(dead))
    fresh = connections.lend()
    assert fresh is not dead
    assert (dead.is_open, fresh.is_open) == (False, True)


def test_a_connection_that_cannot_be_opened_takes_nobodys_place() -> None:
    tries = count()

    def fail_at_first() -> Opened:
        if next(tries) == 0:
            raise OSError("the database is down")
        return Opened()

    connections = Connections(fail_at_first, 1)
    with pytest.raises(OSError, match="down"):
        connections.lend()
    assert connections.lend().is_open


def test_closing_leaves_nothing_open_but_what_is_lent() -> None:
    connections = Connections(Opened, 2)
    lent, free = connections.lend(), connections.lend()
    connections.give_back(free)
    connections.close()
    assert (lent.is_open, free.is_open) == (True, False)
    assert connections.lend().is_open
