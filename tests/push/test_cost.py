"""What requests cost, counted in statements, rows and steps of SQLite's machine, never in time."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from scim_server.store.tables.base import metadata
from scim_server.store.tables.identities import members, resources
from tests.push.installation import PATCH_OP, Installation

MANY = 20_000
FEW = 10
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


class Meter:
    """The statements that SQLite ran, the rows it wrote and the steps of its machine."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.rows = 0
        self.steps = 0

    def step(self) -> int:
        """One more step; SQLite is to go on."""
        self.steps += 1
        return 0

    @property
    def cost(self) -> tuple[int, int]:
        return len(self.statements), self.rows


@contextmanager
def metered(installation: Installation) -> Iterator[Meter]:
    """Counts what the requests inside cost; one after the other they all use the one connection that was lent last."""
    meter = Meter()
    connection: Any = installation.database.lend()
    installation.database.take_back(connection, None)
    before = connection.total_changes
    connection.set_trace_callback(meter.statements.append)
    connection.set_progress_handler(meter.step, 1)
    yield meter
    connection.set_trace_callback(None)
    connection.set_progress_handler(None, 0)
    meter.rows = connection.total_changes - before


class Town:
    """An installation with a big and a small group, whose clock stands: tokens and schemas stay known."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.users = installation.populate(MANY + 1)
        self.entra = installation.client()
        self.hr = installation.client(installation.add_source("hr-push"))
        self.hr.change(self.users[1], title="Welder")
        self.small = self._group("Small", FEW)
        self.big = self._group("Big", MANY)
        installation.clock.step = timedelta(0)
        self.entra.read(self.users[0])

    def _group(self, name: str, size: int) -> str:
        """A group of the first users."""
        group: str = self.entra.create_group(name)["id"]
        user = resources.c.type == "User"
        group_pk = select(resources.c.pk).where(resources.c.id == group).scalar_subquery()
        chosen = (
            select(resources.c.tenant_id, group_pk, resources.c.pk).where(user).order_by(resources.c.pk).limit(size)
        )
        with self.installation.database.engine.connect() as connection:
            connection.execute(insert(members).from_select(["tenant_id", "group_pk", "member_pk"], chosen))
        return group

    def cost(self, method: str, path: str, body: Any = None, status: int = 200) -> Meter:
        """What one request costs, everything that is remembered already known."""
        with metered(self.installation) as meter:
            self.entra.send(method, path, body, status=status)
        return meter

    def change_members(self, group: str, verb: str, user: str) -> Meter:
        operations = [{"op": verb, "path": "members", "value": [{"value": user}]}]
        body = {"schemas": [PATCH_OP], "Operations": operations}
        return self.cost("PATCH", f"/Groups/{group}", body, 204)


@pytest.fixture(scope="module")
def town(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    directory = tmp_path_factory.mktemp("town")
    (directory / "scim.db").write_bytes(sqlite_template.read_bytes())
    installation = Installation(f"sqlite:///{directory / 'scim.db'}", directory)
    yield Town(installation)
    installation.close()


def test_a_member_costs_the_same_in_a_small_group_and_in_a_big_one(town: Town) -> None:
    newcomer = town.users[-1]
    for group in (town.small, town.big):  # statements are prepared
        town.change_members(group, "add", newcomer)
        town.change_members(group, "remove", newcomer)

    small = [town.change_members(town.small, verb, newcomer) for verb in ("add", "add", "remove", "remove")]
    big = [town.change_members(town.big, verb, newcomer) for verb in ("add", "add", "remove", "remove")]

    assert [meter.cost for meter in big] == [meter.cost for meter in small]
    assert [meter.rows for meter in big] == [3, 0, 3, 0], "the member, the version of the group, the change log"
    for each, other in zip(big, small, strict=True):
        assert len(each.statements) <= 8
        assert each.steps < other.steps * 1.2


def test_removing_one_member_by_filter_reads_no_other(town: Town) -> None:
    def cost(group: str) -> Meter:
        operations = [{"op": "remove", "path": f'members[value eq "{town.users[3]}"]'}]
        return town.cost("PATCH", f"/Groups/{group}", {"schemas": [PATCH_OP], "Operations": operations}, 204)

    small, big = cost(town.small), cost(town.big)

    assert big.cost == small.cost
    assert big.steps < small.steps * 1.2


def test_a_group_without_its_members_costs_the_same_whatever_its_size(town: Town) -> None:
    small, big = (town.cost("GET", f"/Groups/{group}?excludedAttributes=members") for group in (town.small, town.big))

    assert len(big.statements) == 1
    assert "group_pk =" not in big.statements[0], "no membership of the group itself is looked at"
    assert big.steps < small.steps * 1.2
    found = town.cost("GET", '/Groups?excludedAttributes=members&filter=displayName eq "Big"')
    assert len(found.statements) <= 2
    assert all("group_pk =" not in statement for statement in found.statements)


def look_ups(town: Town) -> list[str]:
    return [
        f"/Users/{town.users[0]}",
        f"/Users/{town.users[-1]}",
        f"/Groups/{town.small}",
        '/Users?filter=userName eq "user 4711"',
        '/Users?filter=externalId eq "nobody"',
        '/Users?filter=emails[type eq "work"].value eq "nobody@fabrikam.test"',
        '/Groups?excludedAttributes=members&filter=displayName eq "Small"',
        f'/Groups?filter=id eq "{town.big}" and members eq "{town.users[5]}"&attributes=id',
    ]


def test_a_look_up_takes_two_statements_at_most(town: Town) -> None:
    for path in look_ups(town):
        meter = town.cost("GET", path)
        assert 1 <= len(meter.statements) <= 2, path
        assert meter.rows == 0


def test_a_look_up_costs_little_however_many_users_there_are(town: Town) -> None:
    for path in look_ups(town):
        assert town.cost("GET", path).steps < 1500, path


def test_writing_a_user_touches_only_its_own_rows(town: Town) -> None:
    town.cost("POST", "/Users", {"userName": "first"}, 201)
    created = town.cost("POST", "/Users", {"userName": "mira", "title": "Welder"}, 201)
    (mira,) = town.entra.find('userName eq "mira"')
    path = f"/Users/{mira['id']}"

    def patched(value: dict[str, Any]) -> Meter:
        body = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": value}]}
        return town.cost("PATCH", path, body)

    disabled, again, renamed = patched({"active": False}), patched({"active": False}), patched({"userName": "mira2"})
    deleted = town.cost("DELETE", path, None, 204)
    assert created.rows <= 10
    assert disabled.rows <= 6
    assert again.rows == 0
    assert renamed.rows <= 8
    assert deleted.rows <= 12
    assert max(len(meter.statements) for meter in (created, disabled, renamed, deleted)) <= 20
    assert max(meter.steps for meter in (created, disabled, renamed, deleted)) < 6000


def test_no_statement_walks_through_a_whole_table(town: Town) -> None:
    problems = {problem for statement in _every_statement(town) for problem in _walks(town, statement)}

    assert not problems, "\n".join(sorted(problems))


def _every_statement(town: Town) -> set[str]:
    """What all kinds of requests run."""
    user, group = town.users[7], town.small
    patched = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"userName": "user 8", "title": "X"}}]}
    renamed = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "value": {"userName": "user seven"}}]}
    listed = [
        "/Users?count=5",
        "/Users?startIndex=100&count=5",
        "/Users?cursor=&count=5",
        "/Users?count=0",
        "/?count=5",
        "/Users?sortBy=userName&count=5",
        "/Users?sortBy=meta.lastModified&sortOrder=descending&count=5",
        "/Users?sortBy=title&count=5",
        '/Users?filter=userName sw "user 47"&count=5',
        '/Users?filter=meta.lastModified gt "2026-03-02T09:14:10Z"&count=5',
        '/Users?filter=active eq true and userName eq "user 5"&count=5',
        f'/Users?filter=id eq "{user}" and {ENTERPRISE}:manager eq "{group}"',
        f'/Users?filter=groups.value eq "{group}"&count=5',
        f'/Groups?filter=members eq "{user}"',
    ]
    with metered(town.installation) as meter:
        for path in [*look_ups(town), *listed]:
            town.entra.send("GET", path, status=200)
            town.hr.send("GET", path, status=200)
        mira = town.entra.create(userName="plans", emails=[{"value": "plans@fabrikam.test"}])["id"]
        town.entra.create(userName="plans", status=409)
        town.entra.send("PATCH", f"/Users/{mira}", patched, status=409)
        town.entra.send("PATCH", f"/Users/{user}", renamed, status=200)
        town.hr.change(mira, title="Welder")
        town.change_members(group, "add", mira)
        town.change_members(group, "replace", mira)
        town.entra.patch(f"/Groups/{group}", [{"op": "remove", "path": "members"}], status=204)
        town.entra.remove(mira)
        town.hr.remove(mira)
    return set(meter.statements) - {"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "BEGIN"}


def _walks(town: Town, statement: str) -> Iterator[str]:
    """The steps of the plan that read a table without an index, or by nothing but the tenant."""
    with town.installation.database.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    for step in plan:
        scanned = re.match(r"SCAN (\w+)", step)
        if (scanned and _table(scanned[1], statement) in metadata.tables) or step.endswith("(tenant_id=?)"):
            yield f"{step}: {statement[:3000]}"


def _table(alias: str, statement: str) -> str:
    named = re.search(rf"(\w+) AS {alias}\b", statement)
    return named[1] if named else alias


def test_a_walk_through_a_table_is_noticed(town: Town) -> None:
    tenant = town.installation.tenant

    assert list(_walks(town, "SELECT document FROM resources WHERE display = 'x'"))
    assert list(_walks(town, f"SELECT r.id FROM resources AS r WHERE r.tenant_id = {tenant} AND display = 'x'"))
    assert not list(_walks(town, f"SELECT document FROM resources WHERE tenant_id = {tenant} AND id = 'x'"))
