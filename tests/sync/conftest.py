"""A world on each kind of database."""

from collections.abc import Iterator

import pytest

from scim_server.store.engine import Database
from tests.sync.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A tenant with an empty directory to pull from."""
    database = Database(database_url)
    yield World(database)
    database.close()
