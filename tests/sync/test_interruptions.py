"""Runs that are killed, cancelled or meet each other: the end is that of an undisturbed run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from scim_server.domain.errors import LeaseLost, SourceBusy
from scim_server.reconciler import packs
from scim_server.reconciler.runs import PlanSummary, RunSummary
from scim_server.store.engine import Database, Session
from tests.sync.world import World, numbers


class Killed(BaseException):
    """The process ended here."""


class MortalDatabase(Database):
    """A database whose process dies at a given transaction: just before its end, or just after."""

    die_at: int | None = None
    after_commit = False
    transactions = 0

    @contextmanager
    def writing(self, tenant: int) -> Iterator[Session]:
        self.transactions += 1
        doomed = self.transactions == self.die_at
        with super().writing(tenant) as session:
            yield session
            if doomed and not self.after_commit:
                raise Killed
        if doomed:
            raise Killed

    def live_on(self, die_at: int | None = None, *, after_commit: bool = False) -> None:
        self.transactions, self.die_at, self.after_commit = 0, die_at, after_commit


def populate(world: World) -> None:
    """People and a group; then a second day with a swap, a newcomer, a leaver, a duplicate and new members."""
    directory = world.directory
    for name in ("ann", "bob", "cid", "dan", "eve"):
        directory.user(name, f"{name}@x.test", f"{name}@x.test", manager="ann")
    directory.group("team", "team", ["ann", "bob"])
    world.sync()
    directory.rename("ann", "bob@x.test", "bob@x.test")
    directory.rename("bob", "ann@x.test", "ann@x.test")
    directory.user("fay", "fay@x.test", "fay@x.test", manager="gus")
    directory.user("gus", "gus@x.test", "cid@x.test")
    directory.user("hal", "hal@x.test", "hal@x.test", manager="fay")
    directory.delete("dan")
    directory.change("eve", enabled=False)
    directory.change("team", members=frozenset(("bob", "fay", "hal", "gus")))


def state(world: World) -> Any:
    """Everything that may not differ, without times and run numbers."""
    duplicates = [(case.immutable_id, case.kind, case.value, case.holder_display) for case in world.duplicates()]
    retries = sorted((row["immutable_id"], row["reason"]) for row in world.rows("retries"))
    resources = {row["pk"]: row for row in world.rows("resources")}
    members = sorted(
        (resources[row["group_pk"]]["id"], resources[row["member_pk"]]["id"]) for row in world.rows("members")
    )
    claims = sorted((row["ns"], row["key"], resources[row["resource_pk"]]["id"]) for row in world.rows("claims"))
    links = sorted((row["immutable_id"], row["state"], row["raw_hash"]) for row in world.rows("links"))
    cursor = [row["cursor"] for row in world.rows("sources", id=world.corp)]
    versions = sorted((row["id"], row["state"], row["version"]) for row in resources.values())
    return world.users(), duplicates, retries, members, claims, links, cursor, versions


def run_to_its_end(world: World) -> RunSummary:
    """Preview and apply, each started again after a death, as a job would be."""

    def survive(work: Callable[[], Any]) -> Any:
        while True:
            try:
                return work()
            except Killed:
                continue

    plan: PlanSummary = survive(lambda: world.preview(plan_id="day-two"))
    summary: RunSummary = survive(lambda: world.apply(plan))
    return summary


@pytest.fixture
def small_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items a transaction, so that a small plan has many."""
    monkeypatch.setattr(packs, "_AT_ONCE", 2)


@pytest.mark.usefixtures("small_packs")
@pytest.mark.parametrize("after_commit", [False, True], ids=["before commit", "after commit"])
def test_kill_at_every_step_then_resume(sqlite_template: Path, tmp_path: Path, after_commit: bool) -> None:
    def fresh(name: str) -> tuple[World, MortalDatabase]:
        path = tmp_path / f"{name}.db"
        path.write_bytes(sqlite_template.read_bytes())
        database = MortalDatabase(f"sqlite:///{path}")
        world = World(database)
        populate(world)
        database.live_on()
        return world, database

    world, database = fresh("undisturbed")
    expected_run = run_to_its_end(world)
    expected, steps = state(world), database.transactions
    database.close()
    assert expected_run.counts.duplicated == 1
    assert steps >= 15
    for step in range(1, steps + 1):
        world, database = fresh(f"step-{step}")
        database.live_on(step, after_commit=after_commit)
        run = run_to_its_end(world)
        assert run.counts == expected_run.counts, f"killed at step {step}"
        assert run.group_counts == expected_run.group_counts
        assert state(world) == expected, f"killed at step {step}"
        database.close()


@pytest.mark.usefixtures("small_packs")
def test_kill_at_some_steps_then_resume_on_both_databases(world: World) -> None:
    database = MortalDatabase(str(world.database.engine.url.render_as_string(hide_password=False)))
    original, world.database = world.database, database
    world.push._database = database
    populate(world)
    database.live_on(8)
    run = run_to_its_end(world)
    assert numbers(run) == {"added": 2, "modified": 2, "deleted": 1, "deactivated": 1, "duplicated": 1}
    assert set(world.users()) == {f"{name}@x.test" for name in ("ann", "bob", "cid", "eve", "fay", "hal")}
    assert numbers(world.sync_fully()) == {"duplicated": 1}
    database.close()
    world.database = original


@pytest.mark.usefixtures("small_packs")
def test_cancel_midway_then_resume(world: World) -> None:
    populate(world)
    cursor = world.rows("sources", id=world.corp)[0]["cursor"]
    plan = world.preview()
    looks = count(1)
    cancelled = world.apply(plan, should_stop=lambda: next(looks) == 2)
    assert cancelled.status == "cancelled"
    assert world.rows("sources", id=world.corp)[0]["cursor"] == cursor
    assert {item["status"] for item in world.items(plan).values()} == {"done", "pending"}
    run = world.apply(plan)
    assert (run.status, numbers(run)) == (
        "applied",
        {"added": 2, "modified": 2, "deleted": 1, "deactivated": 1, "duplicated": 1},
    )
    assert world.rows("sources", id=world.corp)[0]["cursor"] != cursor


def test_a_cancelled_preview_leaves_nothing_to_confirm(world: World) -> None:
    populate(world)
    plan = world.preview(should_stop=lambda: True)
    assert (plan.status, plan.fingerprint) == ("cancelled", "")
    assert world.rows("observations") == []


def test_an_applied_plan_is_told_again_and_not_applied_again(world: World) -> None:
    populate(world)
    plan = world.preview()
    first = world.apply(plan)
    before = state(world)
    assert world.apply(plan) == first
    assert state(world) == before


def test_of_two_runs_of_one_source_one_runs(world: World) -> None:
    populate(world)
    plan = world.preview()

    def meddle() -> bool:
        with pytest.raises(SourceBusy):
            world.preview()
        return False

    assert world.apply(plan, should_stop=meddle).status == "applied"
    assert world.preview().status == "ready"


def test_a_worker_that_was_replaced_writes_nothing_more(world: World) -> None:
    populate(world)
    plan = world.preview()
    successors: list[RunSummary] = []

    def be_replaced() -> bool:
        if not successors:
            successors.append(world.apply(plan))
        return False

    with pytest.raises(LeaseLost):
        world.apply(plan, should_stop=be_replaced)
    assert successors[0].status == "applied"


def test_a_dead_run_holds_its_source_for_two_minutes(world: World) -> None:
    populate(world)

    def die() -> bool:
        raise Killed

    with pytest.raises(Killed):
        world.preview(should_stop=die)
    with pytest.raises(SourceBusy):
        world.preview()
    world.clock.pass_by(minutes=3)
    assert world.preview().status == "ready"
