"""Directories that fail, answer too little, or move: nothing is removed without proof."""

import pytest

from scim_server.domain.errors import Blocked, PlanNotReady, StalePlan, WrongNumber
from scim_server.reconciler.runs import Approval
from tests.sync.world import World, numbers


def fill(world: World, count: int) -> None:
    for number in range(count):
        world.directory.user(f"u{number:03}", f"user{number}@x.test", f"user{number}@x.test")
    assert numbers(world.sync()) == {"added": count}


def test_ldap_down_mid_page(world: World) -> None:
    fill(world, 8)
    world.directory.rename("u000", email="new@x.test")
    world.directory.delete("u007")
    world.directory.faults.pages_before_failure = 1
    plan = world.preview(full=True)
    assert (plan.complete, numbers(plan)) == (False, {"modified": 1})
    assert "does not answer" in plan.reason
    world.apply(plan)
    assert len(world.users()) == 8
    world.directory.faults.pages_before_failure = None
    assert numbers(world.sync()) == {"deleted": 1}


def test_bind_password_changed(world: World) -> None:
    fill(world, 3)
    world.directory.faults.unreachable = True
    plan = world.preview(full=True)
    assert (plan.status, plan.fingerprint) == ("failed", "")
    with pytest.raises(PlanNotReady):
        world.apply(plan)
    assert len(world.users()) == 3
    world.directory.faults.unreachable = False
    assert numbers(world.sync_fully()) == {}


def test_empty_result(world: World) -> None:
    fill(world, 5)
    world.directory.faults.empty = True
    plan = world.preview(full=True)
    assert plan.status == "blocked"
    assert [each.name for each in plan.blocked] == ["empty_read"]
    with pytest.raises(Blocked):
        world.apply(plan)
    assert len(world.users()) == 5


def test_base_dn_renamed(world: World) -> None:
    fill(world, 20)
    for number in range(20):
        world.directory.move_out(f"u{number:03}")
    world.directory.scope = "another base"
    plan = world.preview()
    assert plan.status == "blocked"
    assert {each.name for each in plan.blocked} >= {"empty_read", "removals", "settings_changed"}
    with pytest.raises(Blocked):
        world.apply(plan)
    assert all(user["active"] for user in world.users().values())


def test_an_approval_repeats_the_numbers(world: World) -> None:
    fill(world, 20)
    for number in range(5):
        world.directory.delete(f"u{number:03}")
    plan = world.preview()
    assert [(each.name, each.number) for each in plan.blocked] == [("removals", 5)]
    with pytest.raises(WrongNumber):
        world.apply(plan, approval=Approval("admin", {"removals": 4}))
    assert numbers(world.apply(plan, approve=True)) == {"deleted": 5}
    assert len(world.users()) == 15


@pytest.mark.parametrize(("leavers", "status"), [(9, "ready"), (10, "blocked")])
def test_threshold_exact_boundary(world: World, leavers: int, status: str) -> None:
    fill(world, 100)
    for number in range(leavers):
        world.directory.delete(f"u{number:03}")
    assert world.preview().status == status


def test_salami_deletes_24h(world: World) -> None:
    fill(world, 100)
    for first in (0, 4):
        for number in range(first, first + 4):
            world.directory.delete(f"u{number:03}")
        assert numbers(world.sync()) == {"deleted": 4}
    for number in range(8, 12):
        world.directory.delete(f"u{number:03}")
    plan = world.preview()
    assert [each.name for each in plan.blocked] == ["removals_24h"]
    world.clock.pass_by(hours=25)
    assert world.preview().status == "ready"


def test_ou_moved_out_of_scope(world: World) -> None:
    fill(world, 3)
    world.directory.move_out("u001")
    assert numbers(world.sync()) == {"deactivated": 1}
    assert world.user("user1@x.test")["active"] is False
    world.directory.bring_back("u001")
    assert numbers(world.sync()) == {"reactivated": 1}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("delete", {"deleted": 1}), ("deactivate", {"deactivated": 1}), ("ignore", {"unlinked": 1})],
)
@pytest.mark.parametrize("event", ["deleted", "out_of_scope", "disabled"])
def test_each_departure_follows_its_policy(world: World, event: str, policy: str, expected: dict[str, int]) -> None:
    world.configure(**{f"on_{event}": policy})
    fill(world, 2)
    match event:
        case "deleted":
            world.directory.delete("u001")
        case "out_of_scope":
            world.directory.move_out("u001")
        case "disabled":
            world.directory.change("u001", enabled=False)
            expected = {} if policy == "ignore" else expected
    assert numbers(world.sync()) == expected
    assert numbers(world.sync_fully()) == {}


def test_missing_from_a_full_read_is_looked_up_before_it_counts(world: World) -> None:
    fill(world, 6)
    world.directory.delete("u000")
    world.directory.move_out("u001")
    world.directory.faults.unreadable = frozenset(("u001",))
    plan = world.preview(full=True)
    assert numbers(plan) == {"deleted": 1, "errors": 1}
    assert numbers(world.apply(plan)) == {"deleted": 1, "errors": 1}
    assert world.user("user1@x.test")["active"] is True


def test_a_removal_is_looked_up_again_when_it_is_applied(world: World) -> None:
    fill(world, 3)
    world.directory.delete("u000", soft=True)
    plan = world.preview()
    world.directory.bring_back("u000")
    run = world.apply(plan)
    assert (run.status, numbers(run)) == ("applied_with_drift", {"stale": 1})
    assert len(world.users()) == 3


def test_delta_token_expired(world: World) -> None:
    fill(world, 4)
    world.directory.delete("u000")
    world.directory.faults.expired = True
    assert numbers(world.sync()) == {"deleted": 1}


def test_dc_failover(world: World) -> None:
    fill(world, 4)
    world.directory.rename("u002", email="new@x.test")
    world.directory.scope = "all-from-another-controller"
    plan = world.preview()
    assert (plan.status, numbers(plan)) == ("ready", {"modified": 1})


def test_replayed_page(world: World) -> None:
    fill(world, 4)
    world.directory.rename("u002", email="new@x.test")
    plain = world.preview(full=True)
    world.directory.faults.replay = True
    again = world.preview(full=True)
    assert again.content_fingerprint == plain.content_fingerprint
    assert again.counts == plain.counts


def test_shuffled_input_same_fingerprint(world: World) -> None:
    for number in range(12):
        world.directory.user(f"u{number:03}", f"user{number}@x.test", f"user{number // 2}@y.test")
    world.directory.group("team", "team", ["u000", "u005"])
    prints = set()
    for seed in range(4):
        world.directory.faults.shuffle = seed
        world.directory.page_size = seed + 1
        prints.add(world.preview(full=True).content_fingerprint)
    assert len(prints) == 1


def test_second_run_empty(world: World) -> None:
    for number in range(6):
        world.directory.user(f"u{number}", f"user{number}@x.test", f"user{number // 2}@y.test", manager="u0")
    world.directory.group("team", "team", ["u0", "u2", "nobody"])
    world.sync()
    open_cases = {case.id for case in world.duplicates()}
    for full in (False, True):
        run = world.sync(full=full)
        assert numbers(run) == {"duplicated": 3}
        assert run.group_counts.modified == 0
    assert {case.id for case in world.duplicates()} == open_cases


def test_full_equals_incremental(world: World) -> None:
    fill(world, 6)
    world.directory.rename("u001", email="a@x.test")
    world.directory.delete("u002")
    world.directory.change("u003", attributes={"title": "Boss", "displayName": None})
    world.sync()
    incremental = world.users()
    assert numbers(world.sync_fully()) == {}
    assert world.users() == incremental


def test_a_plan_expires(world: World) -> None:
    world.directory.user("ann", "ann@x.test")
    plan = world.preview()
    world.clock.pass_by(minutes=61)
    with pytest.raises(StalePlan):
        world.apply(plan)
    assert world.rows("plans")[0]["status"] == "expired"


def test_a_plan_is_void_once_settings_changed(world: World) -> None:
    world.directory.user("ann", "ann@x.test")
    plan = world.preview()
    world.configure(on_deleted="ignore")
    with pytest.raises(StalePlan):
        world.apply(plan)
    assert world.rows("plans")[0]["status"] == "superseded"


def test_another_fingerprint_is_refused_and_the_plan_stays(world: World) -> None:
    world.directory.user("ann", "ann@x.test")
    plan = world.preview()
    with pytest.raises(StalePlan):
        world.apply(plan, fingerprint="0" * 64)
    assert numbers(world.apply(plan)) == {"added": 1}
