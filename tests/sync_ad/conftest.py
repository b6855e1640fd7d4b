"""The domain controller that these tests share, and an office of its own for each."""

from collections.abc import Iterator

import pytest

from scim_server.store.engine import Database
from tests.directories.samba import Domain, samba
from tests.sync_ad.office import Office

__all__ = ["samba"]


@pytest.fixture
def office(samba: Domain, database_url: str) -> Iterator[Office]:
    """An empty unit, and a tenant on each kind of database that reads it."""
    made = Office(Database(database_url), samba)
    yield made
    made.close()


@pytest.fixture
def sqlite_office(samba: Domain, sqlite_url: str) -> Iterator[Office]:
    """The same on SQLite alone, where the database makes no difference."""
    made = Office(Database(sqlite_url), samba)
    yield made
    made.close()
