"""Tokens and the directory that recognises them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.secrets import Secrets
from scim_server.admin.sources import SourceKind, Sources
from scim_server.admin.tenants import Tenant, Tenants
from scim_server.admin.tokens import TokenDirectory, Tokens
from scim_server.domain.clients import OnDeleted, Scope
from scim_server.store.engine import Database


class HandClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_(self, **how_long: float) -> None:
        self.time += timedelta(**how_long)


class House:
    """Everything an administrator works with, over one database."""

    def __init__(self, url: str) -> None:
        self.clock = HandClock()
        self.database = Database(url)
        self.tenants = Tenants(self.database, self.clock)
        self.sources = Sources(self.database, self.clock, Secrets(["k" * 32]))
        self.directory = TokenDirectory(self.database, self.clock, run=lambda work: work())
        self.elsewhere = TokenDirectory(self.database, self.clock, run=lambda work: work())
        self.tokens = Tokens(self.database, self.clock, self.directory)
        self.tenant: Tenant = self.tenants.ensure_default()[0]

    def token(self, **options: object) -> str:
        return self.tokens.create(self.tenant.id, "entra-push", "Entra ID", **options)[1]  # type: ignore[arg-type]


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    house = House(database_url)
    yield house
    house.database.close()


def test_a_token_is_recognised_with_all_a_push_needs_to_know(house: House) -> None:
    house.sources.edit(house.tenant.id, "entra-push", settings={"on_deleted": "deactivate"})
    house.tenants.edit("default", {"cross_login": "false"})
    client = house.directory.find(house.token(strict=True, scopes=[Scope.READ]))
    assert client is not None
    assert (client.tenant_name, client.source_name, client.source_rank) == ("default", "entra-push", 20)
    assert client.strict
    assert client.may(Scope.READ)
    assert not client.may(Scope.WRITE)
    assert client.push.on_deleted is OnDeleted.DEACTIVATE
    assert not client.tenant.cross_login
    assert client.tenant.email_unique


@pytest.mark.parametrize("wrong", ["", "scim_", "scim_" + "A" * 43, "x" * 48, "scim_" + "é" * 43, "\ud800" * 48])
def test_a_wrong_token_is_nobody(house: House, wrong: str) -> None:
    house.token()
    assert house.directory.find(wrong) is None


def test_several_tokens_are_valid_at_once(house: House) -> None:
    first, second = house.token(), house.token()
    assert first != second
    assert house.directory.find(first) is not None
    assert house.directory.find(second) is not None


def test_a_revoked_token_is_refused_here_at_once_and_elsewhere_within_seconds(house: House) -> None:
    token = house.token()
    assert house.directory.find(token)
    assert house.elsewhere.find(token)
    house.tokens.revoke(house.tenant.id, "Entra ID")
    assert house.directory.find(token) is None
    house.clock.pass_(seconds=5)
    assert house.elsewhere.find(token) is None


def test_a_token_ends_at_its_expiry_although_it_was_just_used(house: House) -> None:
    token = house.token(expires_at=house.clock.now() + timedelta(seconds=2))
    assert house.directory.find(token)
    house.clock.pass_(seconds=2)
    assert house.directory.find(token) is None
    assert not house.tokens.list(house.tenant.id)[0].is_valid(house.clock.now())


def test_the_last_use_is_noted_once_a_minute(house: House) -> None:
    token = house.token()
    noted = []
    for _ in range(3):
        house.directory.find(token)
        noted.append(house.tokens.list(house.tenant.id)[0].last_used_at)
        house.clock.pass_(seconds=40)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert noted == [start, start, start + timedelta(seconds=80)]


def test_the_token_itself_is_stored_nowhere(sqlite_url: str) -> None:
    house = House(sqlite_url)
    token = house.token()
    with house.database.reading(house.tenant.id) as session:
        dump = "\n".join(session._connection.iterdump())
    house.database.close()
    assert "Entra ID" in dump
    assert token not in dump
    assert token.removeprefix("scim_") not in dump


def test_a_token_belongs_to_a_source_that_is_pushed_to(house: House) -> None:
    with pytest.raises(NotThere, match="source list"):
        house.tokens.create(house.tenant.id, "nowhere", "x")
    house.sources.add(house.tenant.id, "ad", SourceKind.ACTIVE_DIRECTORY)
    with pytest.raises(Refused, match="kind active-directory"):
        house.tokens.create(house.tenant.id, "ad", "x")


def test_a_token_is_bound_to_existing_users_alone(house: House) -> None:
    with pytest.raises(NotThere, match="no user"):
        house.token(user_id="2819c223-7f76-453a-919d-413861904646")


def test_of_two_tokens_with_one_name_the_id_says_which_is_revoked(house: House) -> None:
    first, second = house.token(), house.token()
    with pytest.raises(Refused, match="several"):
        house.tokens.revoke(house.tenant.id, "Entra ID")
    house.tokens.revoke(house.tenant.id, house.tokens.list(house.tenant.id)[0].id)
    assert [house.directory.find(token) is None for token in (first, second)].count(True) == 1


def test_another_tenants_tokens_are_out_of_reach(house: House) -> None:
    house.token()
    other = house.tenants.create("other")
    assert house.tokens.list(other.id) == []
    with pytest.raises(NotThere):
        house.tokens.revoke(other.id, "Entra ID")


def test_recognising_a_known_token_takes_microseconds(sqlite_url: str) -> None:
    house = House(sqlite_url)
    token = house.token()
    house.directory.find(token)
    fastest = min(_duration(house.directory, token) for _ in range(20))
    house.database.close()
    assert fastest < 20e-6  # 2.5 µs measured; a query would take more than 50


def _duration(directory: TokenDirectory, token: str) -> float:
    start = time.perf_counter()
    for _ in range(100):
        directory.find(token)
    return (time.perf_counter() - start) / 100
