"""A server with a console, and browsers at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scim_server.settings import Settings
from tests.web.browser import Browser, ConsoleServer, set_up


@pytest.fixture
def fresh(sqlite_url: str, tmp_path: Path) -> Iterator[ConsoleServer]:
    """A server that nobody administers yet."""
    server = ConsoleServer(Settings(data_dir=tmp_path, database_url=sqlite_url, secret_key=("k" * 32,)))
    yield server
    server.services.database.close()


@pytest.fixture
def server(fresh: ConsoleServer) -> ConsoleServer:
    """A server with its first administrator."""
    set_up(fresh)
    return fresh


@pytest.fixture
def browser(server: ConsoleServer) -> Browser:
    """A browser that is signed in."""
    browser = Browser(server)
    assert browser.sign_in().status_code == 200
    return browser
