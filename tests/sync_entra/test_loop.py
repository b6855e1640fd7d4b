"""Entra ID pushes, Entra ID is pulled and Active Directory is pulled: one person stays one user."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from connectors.entra.config import parse_config
from connectors.entra.reader import EntraReader
from scim_server.scim.errors import Uniqueness
from scim_server.store.engine import Database
from tests.directories.graph_emulator import EmulatorAdapter, GraphEmulator, settings_for
from tests.directories.graph_emulator.fixtures import AT_ONCE
from tests.directories.graph_emulator.wire import graph_error
from tests.directories.samba import Domain
from tests.sync.world import World, numbers
from tests.sync_ad.office import Office

ORDERS = list(permutations(("push", "graph", "ad")))


@dataclass(frozen=True)
class Cloud:
    """The Entra ID tenant as a world wants a directory: a fresh reader for every run, which tells the world's time."""

    emulator: GraphEmulator
    world: World

    def reader(self) -> EntraReader:
        values, secrets = settings_for(self.emulator)
        return EntraReader(
            parse_config(values, secrets), now=self._now, patience=AT_ONCE, adapter=EmulatorAdapter(self.emulator)
        )

    def _now(self) -> datetime:
        return self.world.clock.now()


class Company:
    """A world that also pulls an Entra ID tenant, under the name ``cloud``."""

    def __init__(self, world: World, emulator: GraphEmulator) -> None:
        self.world = world
        self.tenant = emulator.tenant
        self.emulator = emulator
        self.cloud = Cloud(emulator, world)
        self.source = world.add_source("cloud", "entra", 20)

    def pull(self, *, full: bool = False) -> dict[str, int]:
        """The counts of a pull of Entra ID that are not zero."""
        return numbers(self.world.sync(source=self.source, directory=self.cloud, full=full))

    def preview(self, *, full: bool = False) -> Any:
        return self.world.preview(source=self.source, directory=self.cloud, full=full)


@pytest.fixture
def company(database_url: str, emulator: GraphEmulator) -> Iterator[Company]:
    """A company in the cloud, on each kind of database."""
    world = World(Database(database_url))
    yield Company(world, emulator)
    world.database.close()


@pytest.fixture
def office(samba: Domain, sqlite_url: str) -> Iterator[Office]:
    """A unit of a real domain."""
    made = Office(Database(sqlite_url), samba)
    yield made
    made.close()


@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
def test_same_person_ad_and_entra_by_anchor(office: Office, emulator: GraphEmulator, order: tuple[str, ...]) -> None:
    """Whoever tells first: once everybody has told again what it knows, there is one user with three links."""
    company = Company(office, emulator)
    guid = office.hire("ann", title="Director")
    cloud_id = emulator.tenant.add_synced_user("ann", UUID(guid), mail="ann@example.test", jobTitle="Manager")
    pushed: list[str] = []

    def push() -> None:
        with suppress(Uniqueness):  # the client tries again, as Entra ID does
            pushed.append(office.push_user("ann@example.test", "ann@example.test", externalId=cloud_id, title="Boss"))

    act = {"push": push, "graph": company.pull, "ad": office.changes}
    first_ids: set[str] = set()
    for _ in range(2):
        for step in order:
            if step != "push" or not pushed:
                act[step]()
            first_ids |= set(office.ids().values())
    assert len(first_ids) == 1
    assert pushed == list(first_ids)
    links = office.rows("links", state="present", type="User")
    assert len(links) == 3
    assert len({link["resource_pk"] for link in links}) == 1
    assert office.duplicates() == []
    assert office.user("ann@example.test")["title"] == "Director"  # Active Directory has the say


def test_an_address_alone_makes_no_same_person(office: Office, emulator: GraphEmulator) -> None:
    company = Company(office, emulator)
    office.hire("ann")
    office.sync()
    emulator.tenant.add_user("ann", mail="ann@example.test")
    assert company.pull() == {"duplicated": 1}
    assert {case.kind for case in office.duplicates()} == {"username", "email"}
    assert len(office.users()) == 1


def test_a_soft_deleted_user_loses_access_and_comes_back_with_memberships(company: Company) -> None:
    world, tenant = company.world, company.tenant
    ann, bob = tenant.add_user("ann"), tenant.add_user("bob")
    group = tenant.add_group("team")
    for member in (ann, bob):
        tenant.add_member(group, member)
    assert company.pull() == {"added": 2}
    before = {name: user["id"] for name, user in world.users().items()}
    tenant.delete(ann)
    assert company.pull() == {"deleted": 1}
    assert set(world.users()) == {"bob@example.test"}
    tenant.restore(ann)
    assert company.pull() == {"restored": 1}
    assert {name: user["id"] for name, user in world.users().items()} == before
    assert world.user("ann@example.test")["active"] is True
    assert world.members("team") == {"Ann", "Bob"}


def test_delta_token_expired(company: Company) -> None:
    """Everything is enumerated anew; what is missing then is looked up and gone."""
    world, tenant = company.world, company.tenant
    people = [tenant.add_user(f"person{number}") for number in range(6)]
    assert company.pull() == {"added": 6}
    tenant.change(people[1], jobTitle="Buyer")
    tenant.purge(people[0])
    company.emulator.forget_delta_tokens()
    assert company.pull() == {"modified": 1, "deleted": 1}
    assert len(world.users()) == 5
    assert company.pull() == {}


def test_a_partial_enumeration_after_an_expired_token_deletes_nobody(company: Company) -> None:
    world, tenant = company.world, company.tenant
    people = [tenant.add_user(f"person{number}") for number in range(6)]
    group = tenant.add_group("team")
    tenant.add_member(group, people[0])
    company.pull()
    before = world.users()
    tenant.purge(people[0])
    company.emulator.forget_delta_tokens()
    company.emulator.break_next("groups/delta", graph_error(503, "ServiceUnavailable"), times=100)
    plan = company.preview()
    assert not plan.complete
    assert (plan.counts.deleted, plan.counts.deactivated) == (0, 0)
    if plan.status == "ready":
        world.apply(plan, directory=company.cloud)
    assert world.users() == before
    company.emulator.faults.clear()
    assert company.pull() == {"deleted": 1}
    assert len(world.users()) == 5


def test_a_push_newer_than_the_pull_wins_within_the_grace(company: Company) -> None:
    """Graph may answer from a replica that lags: only a pull that is a quarter of an hour younger overrules a push."""
    world, tenant = company.world, company.tenant
    ann = tenant.add_user("ann", jobTitle="Buyer")
    company.pull()
    world.push_user("ann@example.test", externalId=ann, title="Director")
    assert world.user("ann@example.test")["title"] == "Director"
    tenant.change(ann, displayName="Ann B", jobTitle="Planner")
    assert company.pull()["deferred"] == 1
    assert world.user("ann@example.test")["title"] == "Director"
    world.clock.pass_by(minutes=16)
    assert company.pull(full=True) == {"modified": 1}
    assert world.user("ann@example.test")["title"] == "Planner"
    assert company.pull(full=True) == {}


def test_a_pushed_deactivation_holds_although_both_directories_say_enabled(
    office: Office, emulator: GraphEmulator
) -> None:
    company = Company(office, emulator)
    guid = office.hire("ann")
    cloud_id = emulator.tenant.add_synced_user("ann", UUID(guid))
    office.sync()
    company.pull()
    user_id = office.push_user("ann@example.test", externalId=cloud_id)
    office.push_change(user_id, active=False)
    office.clock.pass_by(hours=1)
    company.pull(full=True)
    office.sync_fully()
    assert office.active() == set()
    office.push_change(user_id, active=True)
    assert office.active() == {"ann"}
