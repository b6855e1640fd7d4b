"""Who comes in, what cannot, and what is tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from scim_server.domain.errors import Blocked, NotFound
from scim_server.reconciler.runs import PlanRequest
from scim_server.reconciler.withheld import next_try
from tests.sync.world import World, numbers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_only_chosen_people_come_in(world: World) -> None:
    world.configure(import_mode="chosen")
    for name in ("ann", "bob", "cid"):
        world.directory.user(name, f"{name}@x.test")
    world.choose("bob")
    run = world.sync()
    assert numbers(run) == {"added": 1, "out_of_scope": 2}
    assert set(world.users()) == {"bob@x.test"}
    world.choose("cid")
    assert numbers(world.sync_fully()) == {"added": 1, "out_of_scope": 1}


def test_who_is_chosen_no_more_is_out_of_scope(world: World) -> None:
    world.configure(import_mode="chosen")
    world.directory.user("ann", "ann@x.test")
    world.choose("ann")
    world.sync()
    world.choose("ann", wanted=False)
    assert numbers(world.sync_fully()) == {"deactivated": 1}
    assert world.user("ann@x.test")["active"] is False


def test_a_source_that_may_not_create_only_links(world: World) -> None:
    world.configure(may_create=False)
    world.directory.user("ann", "ann@x.test")
    assert numbers(world.sync()) == {"out_of_scope": 1}
    assert world.users() == {}


def test_users_created_here_are_adopted_where_the_source_says_so(world: World) -> None:
    world.configure(weak="adopt")
    world.push_user("ann@x.test", "ann@x.test")
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    # pushed by a client, hence not created here
    assert numbers(world.sync()) == {"duplicated": 1}


def test_strong_keys_join(world: World) -> None:
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    world.configure(strong_keys=[f"{urn}:employeeNumber"])
    pushed = world.push_user("push@x.test", **{urn: {"employeeNumber": "E17"}})
    world.directory.user("ann", "ann@x.test", attributes={urn: {"employeeNumber": "E17"}})
    assert numbers(world.sync()) == {"linked": 1}
    assert world.user("ann@x.test")["id"] == pushed
    world.directory.user("bob", "bob@x.test", attributes={urn: {"employeeNumber": "E17"}})
    assert numbers(world.sync()) == {"duplicated": 1}
    assert [case.kind for case in world.duplicates()] == ["disputed"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"userName": None},
        {"userName": "bell\x07@x.test"},
        {"userName": "nul\0@x.test", "displayName": "nul\0"},
        {"userName": "half\ud800@x.test"},
        {"emails": [{"value": "no address"}]},
        {"emails": "text"},
        {"name": 7},
        {"phoneNumbers": [7]},
    ],
    ids=repr,
)
def test_what_does_not_fit_is_an_error_of_one_object(world: World, attributes: dict[str, object]) -> None:
    world.directory.user("good", "good@x.test")
    world.directory.user("bad", "bad@x.test", attributes=attributes)
    assert numbers(world.sync()) == {"added": 1, "errors": 1}
    assert set(world.users()) == {"good@x.test"}
    (item,) = [row for row in world.rows("plan_items") if row["immutable_id"] == "bad"]
    assert len(item["reasons"]) > 10


def test_an_error_is_tried_again_when_it_is_due_and_gone_when_it_is_mended(world: World) -> None:
    world.directory.user("bad", "bad@x.test", attributes={"emails": [{"value": "no address"}]})
    world.sync()
    assert numbers(world.sync()) == {}
    world.clock.pass_by(minutes=2)
    assert numbers(world.sync()) == {"errors": 1}
    assert world.rows("retries")[0]["attempts"] == 2
    world.directory.rename("bad", email="bad@x.test")
    assert numbers(world.sync()) == {"added": 1}
    assert world.rows("retries") == []


def test_tries_become_rarer() -> None:
    waits = [next_try(attempt, NOW) - NOW for attempt in range(1, 9)]
    minutes = [1, 4, 16, 64, 256]
    assert waits == [*(timedelta(minutes=each) for each in minutes), timedelta(hours=6), *[timedelta(days=7)] * 2]


def test_a_protected_user_is_not_removed_unseen(world: World) -> None:
    world.directory.user("ann", "ann@x.test")
    world.sync()
    with world.database.writing(world.tenant) as session:
        session._connection.execute("UPDATE resources SET privileged = true")
    world.directory.delete("ann")
    plan = world.preview()
    assert "protected_users" in {each.name for each in plan.blocked}
    with pytest.raises(Blocked):
        world.apply(plan)


def test_a_source_that_does_not_exist_is_told(world: World) -> None:
    with pytest.raises(NotFound):
        world.preview(source=9999)


def test_an_administrators_block_is_lifted_by_no_run(world: World) -> None:
    world.directory.user("ann", "ann@x.test")
    world.sync()
    with world.database.writing(world.tenant) as session:
        session._connection.execute("UPDATE resources SET blocked = true")
    world.directory.change("ann", attributes={"title": "Boss"})
    world.sync()
    assert world.user("ann@x.test")["active"] is False


def test_one_person_is_synchronized_alone_and_no_cursor_moves(world: World) -> None:
    world.directory.user("ann", "ann@x.test")
    world.directory.user("bob", "bob@x.test")
    assert numbers(world.sync("ann")) == {"added": 1}
    assert world.rows("sources", id=world.corp)[0]["cursor"] is None
    assert PlanRequest(1, 1).objects == ()


def test_the_change_log_names_plan_and_both_values(world: World) -> None:
    world.directory.user("ann", "ann@x.test", attributes={"title": "One"})
    world.sync()
    world.directory.change("ann", attributes={"title": "Two"})
    run = world.sync()
    (entry,) = world.rows("changes", plan_id=run.id)
    assert (entry["channel"], entry["action"]) == ("pull", "modified")
    assert (entry["before"], entry["after"]) == ('{"title":"One"}', '{"title":"Two"}')


def test_values_that_are_only_written_otherwise_modify_nobody(world: World) -> None:
    numbers_before = [{"value": "+49 30 1234", "type": "work"}]
    world.directory.user("ann", "ann@x.test", attributes={"phoneNumbers": numbers_before})
    world.sync()
    world.directory.change("ann", attributes={"phoneNumbers": [{"value": "+49-30-1234", "type": "work"}]})
    run = world.sync()
    assert numbers(run) == {}
    assert run.counts.unchanged == 1
