"""What an administrator decides over duplicates, and what follows in this run and the next."""

import pytest

from scim_server.domain.errors import NotFound
from scim_server.reconciler.resolutions import Kind, NotResolvable, Resolution
from scim_server.store.reads.resources import find_resource
from tests.sync.world import World, numbers


def test_link_makes_the_object_the_holder(world: World) -> None:
    holder = world.push_user("ann.push@x.test", "ann@x.test", nickName="Anni")
    world.directory.user("ann", "ann@corp.test", "ann@x.test", attributes={"title": "Engineer"})
    world.sync()
    run = world.resolve("link")
    assert numbers(run) == {"linked": 1}
    (ann,) = world.users().values()
    assert (ann["id"], ann["userName"], ann["title"], ann["nickName"]) == (holder, "ann@corp.test", "Engineer", "Anni")
    (case,) = world.duplicates("resolved")
    assert (case.resolution, case.resolved_by) == ("link", "system")
    assert numbers(world.sync_fully()) == {}
    world.directory.change("ann", attributes={"title": "Director"})
    assert numbers(world.sync()) == {"modified": 1}


def test_rename_of_the_incoming_object_is_pinned(world: World) -> None:
    world.push_user("push@x.test", "ann@x.test")
    world.directory.user("ann", "ann@corp.test", "ann@x.test")
    world.sync()
    assert numbers(world.resolve("rename", value="ann.two@x.test")) == {"added": 1}
    assert world.emails()["ann@corp.test"] == ["ann.two@x.test"]
    world.directory.change("ann", attributes={"title": "Engineer"})
    assert numbers(world.sync()) == {"modified": 1}
    assert world.emails()["ann@corp.test"] == ["ann.two@x.test"]
    assert numbers(world.sync_fully()) == {}


def test_rename_of_the_holder_lets_the_next_run_bring_the_object_in(world: World) -> None:
    world.push_user("ann@x.test", "ann@x.test")
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.sync()
    case = next(each for each in world.duplicates() if each.namespace == "username")
    assert numbers(world.resolve("rename", case.id, value="ann.push@x.test", rename_holder=True)) == {"modified": 1}
    assert numbers(world.sync()) == {"added": 1}
    assert set(world.users()) == {"ann@x.test", "ann.push@x.test"}
    assert world.duplicates() == []


def test_release_takes_the_value_off_an_inactive_holder(world: World) -> None:
    world.directory.user("old", "ann@x.test", "ann@x.test", enabled=False)
    world.sync()
    world.directory.user("new", "ann@x.test", "ann@x.test")
    world.sync()
    case = next(each for each in world.duplicates() if each.namespace == "username")
    assert case.kind == "held_by_inactive"
    assert numbers(world.resolve("release", case.id)) == {"modified": 1}
    assert numbers(world.sync()) == {"added": 1}
    assert world.user("ann@x.test")["active"] is True
    assert numbers(world.sync_fully()) == {}


def test_an_active_holder_is_not_released(world: World) -> None:
    world.push_user("ann@x.test")
    world.directory.user("ann", "ann@x.test")
    world.sync()
    with pytest.raises(NotResolvable, match="active"):
        world.resolve("release")


def test_merge_keeps_cached_scim_id(world: World) -> None:
    survivor = world.push_user("ann.push@x.test", "push@x.test")
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.directory.group("team", "team", ["ann"])
    world.sync()
    loser = world.user("ann@x.test")["id"]
    world.directory.rename("ann", email="push@x.test")
    assert numbers(world.sync()) == {"duplicated": 1}
    assert numbers(world.resolve("merge")) == {"modified": 1, "deleted": 1}
    (left,) = world.users().values()
    assert left["id"] == survivor
    assert {each["value"] for each in left["emails"]} == {"ann@x.test", "push@x.test"}
    with world.database.reading(world.tenant) as session:
        found = find_resource(session, "User", loser, world.client.source_id)
    assert found is not None
    assert found.id == survivor
    assert world.rows("members")[0]["member_pk"] == found.pk
    assert numbers(world.sync()) == {"modified": 1}
    assert [user["id"] for user in world.users().values()] == [survivor]
    assert numbers(world.sync_fully()) == {}


def test_what_needs_a_value_of_a_third_one_is_refused(world: World) -> None:
    world.push_user("push@x.test", "ann@x.test")
    world.push_user("third@x.test", "third@x.test")
    world.directory.user("ann", "ann@corp.test", "ann@x.test")
    world.sync()
    with pytest.raises(NotResolvable, match="holds a value"):
        world.resolve("rename", value="third@x.test")


def test_a_case_that_is_over_is_not_resolved_again(world: World) -> None:
    world.push_user("push@x.test", "ann@x.test")
    world.directory.user("ann", "ann@corp.test", "ann@x.test")
    world.sync()
    case = world.duplicates()[0].id
    world.resolve("link")
    with pytest.raises(NotFound):
        world.resolutions.plan(world.tenant, Resolution(case, Kind.LINK), "admin")
