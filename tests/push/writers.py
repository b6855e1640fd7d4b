"""Writers in processes of their own, each with its own connections to the database, that all begin at once."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from tests.push.installation import Client, Installation

NUMBER = 8
_SECONDS = 25  # whoever waits longer waits for nothing

Work = Callable[..., Any]
"""What one writer does with its client; a function of a module, called with the client and its arguments."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["pytest", __name__])


class Writers:
    """Eight processes that wait for work."""

    def __init__(self) -> None:
        self._barrier = _context.Barrier(NUMBER)  # as long as it is referred to, the others can find it
        pipes = [_context.Pipe() for _ in range(NUMBER)]
        self._connections = [ours for ours, _ in pipes]
        self._processes = [
            _context.Process(target=_serve, args=(theirs, self._barrier), daemon=True) for _, theirs in pipes
        ]
        for process in self._processes:
            process.start()

    def all_do(self, installation: Installation, work: Work, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """What each writer's work gave; all of them use one token, as the threads of one client would."""
        assert len(arguments) == NUMBER
        token = installation.token()
        settings = installation.settings
        for connection, given in zip(self._connections, arguments, strict=True):
            connection.send((settings.database, settings.data_dir, token, work, given))
        answers = [self._answer(connection) for connection in self._connections]
        failed = [answer for answer in answers if isinstance(answer, _Failed)]
        assert not failed, failed[0].reason
        return answers

    def _answer(self, connection: Connection) -> Any:
        assert connection.poll(_SECONDS), "a writer does not come to an end"
        return connection.recv()

    def stop(self) -> None:
        """No process is left."""
        for connection in self._connections:
            connection.send(None)
        for process in self._processes:
            process.join(_SECONDS)


class _Failed:
    def __init__(self, reason: str) -> None:
        self.reason = reason


def _serve(connection: Connection, barrier: Barrier) -> None:
    while (order := connection.recv()) is not None:
        url, directory, token, work, arguments = order
        try:
            with _connected(url, directory) as installation:
                client = Client(installation.app, token)
                client.find('userName eq "nobody"')  # whatever a first request takes longer is over
                barrier.wait(_SECONDS)
                connection.send(work(client, *arguments))
        except Exception as error:  # the test has to hear of anything that happens here
            connection.send(_Failed(f"{type(error).__name__}: {error}"))


@contextmanager
def _connected(url: str, directory: Path) -> Iterator[Installation]:
    installation = Installation(url, directory)
    try:
        yield installation
    finally:
        installation.close()
