"""Servers over a fresh SQLite database and their clients."""

import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from scim_server.settings import Settings
from tests.scim.house import House
from tests.scim.server import ScimClient, Server


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """Every event that the server logs during a test."""
    with capture_logs() as events:
        yield events


def serve(url: str, directory: Path) -> Iterator[Server]:
    """A server as long as somebody needs it."""
    server = Server(Settings(data_dir=directory, database_url=url, secret_key=("k" * 32,)))
    yield server
    server.services.database.close()


@pytest.fixture
def server(sqlite_url: str, tmp_path: Path) -> Iterator[Server]:
    """A server with the tenant ``default`` and nobody in it."""
    yield from serve(sqlite_url, tmp_path)


@pytest.fixture
def anywhere(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """The same on each kind of database."""
    yield from serve(database_url, tmp_path)


@pytest.fixture(scope="module")
def shared_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same for all tests of a module, for those that leave nothing behind."""
    directory = tmp_path_factory.mktemp("shared")
    path = directory / "scim.db"
    shutil.copyfile(sqlite_template, path)
    yield from serve(f"sqlite:///{path}", directory)


@pytest.fixture
def scim(server: Server) -> ScimClient:
    """A client that may read and write, in the tolerant dialect."""
    return server.client()


@pytest.fixture
def strict_scim(server: Server) -> ScimClient:
    """A client of the same tenant and source for which nothing beyond the RFCs is tolerated."""
    return server.client(strict=True)


@pytest.fixture(scope="module")
def inhabited(shared_server: Server) -> House:
    """One house for the whole module: no test may change anything in it."""
    return House(shared_server.client())


@pytest.fixture
def house(inhabited: House) -> Iterator[House]:
    """The house; whatever was refused has changed nothing in it."""
    before = inhabited.everything()
    yield inhabited
    assert inhabited.everything() == before
