"""Both databases keep the contract of the store."""

from collections.abc import Iterator

import pytest

from scim_server.store.engine import Database
from tests.contract.store_contract import Store, StoreContract


def opened(url: str) -> Iterator[Store]:
    database = Database(url)
    yield Store(database)
    database.close()


class TestSqlite(StoreContract):
    """SQLite, embedded."""

    @pytest.fixture
    def store(self, sqlite_url: str) -> Iterator[Store]:
        yield from opened(sqlite_url)


class TestPostgresql(StoreContract):
    """PostgreSQL."""

    @pytest.fixture
    def store(self, postgresql_url: str) -> Iterator[Store]:
        yield from opened(postgresql_url)
