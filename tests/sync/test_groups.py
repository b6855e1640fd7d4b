"""Groups, their members, and managers: references become whole when both ends are there."""

from tests.sync.world import World, numbers

MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def manager_of(world: World, user_name: str) -> str | None:
    extension = world.user(user_name).get(MANAGER, {})
    manager = extension.get("manager", {}).get("value")
    return next((name for name, user in world.users().items() if user["id"] == manager), None)


def test_members_join_and_leave(world: World) -> None:
    for name in ("ann", "bob", "cid"):
        world.directory.user(name, f"{name}@x.test")
    world.directory.group("team", "team", ["ann", "bob"])
    world.directory.group("company", "company", ["team", "cid"])
    run = world.sync()
    assert run.group_counts.added == 2
    assert (world.members("team"), world.members("company")) == ({"ann", "bob"}, {"team", "cid"})
    world.directory.change("team", members=frozenset(("bob", "cid")))
    assert world.sync().group_counts.modified == 1
    assert world.members("team") == {"bob", "cid"}
    assert world.sync_fully().group_counts.modified == 0


def test_a_member_that_is_withheld_joins_when_it_comes_in(world: World) -> None:
    holder = world.push_user("ann@x.test")
    world.directory.user("ann", "ann@x.test")
    world.directory.group("team", "team", ["ann"])
    world.sync()
    assert world.members("team") == set()
    world.push_change(holder, userName="free@x.test")
    assert numbers(world.sync()) == {"added": 1}
    assert world.members("team") == {"ann"}


def test_members_of_others_stay(world: World) -> None:
    pushed = world.push_user("push@x.test", displayName="push")
    world.directory.user("ann", "ann@x.test")
    world.directory.group("team", "team", ["ann"])
    world.sync()
    team = world.rows("resources", type="Group")[0]
    world.push_members(team["id"], [pushed])
    world.directory.change("team", members=frozenset())
    world.sync()
    assert world.members("team") == {"push"}


def test_groups_of_one_name_are_duplicates(world: World) -> None:
    world.push_group("Team")
    world.directory.group("team", "team")
    run = world.sync()
    assert run.group_counts.duplicated == 1
    assert [(case.kind, case.type) for case in world.duplicates()] == [("group_name", "Group")]


def test_circular_groups_come_in(world: World) -> None:
    world.directory.group("one", "one", ["two"])
    world.directory.group("two", "two", ["one"])
    world.sync()
    assert (world.members("one"), world.members("two")) == ({"two"}, {"one"})


def test_a_deleted_group_is_gone(world: World) -> None:
    world.directory.user("ann", "ann@x.test")
    world.directory.group("team", "team", ["ann"])
    world.sync()
    world.directory.delete("team")
    assert world.sync().group_counts.deleted == 1
    assert world.rows("resources", type="Group", state="live") == []


def test_managers_are_found_whatever_the_order(world: World) -> None:
    world.directory.user("a", "ann@x.test", manager="z")
    world.directory.user("m", "mia@x.test", manager="a")
    world.directory.user("z", "zoe@x.test")
    world.sync()
    assert (manager_of(world, "ann@x.test"), manager_of(world, "mia@x.test")) == ("zoe@x.test", "ann@x.test")
    world.directory.change("a", manager="m")
    assert numbers(world.sync()) == {"modified": 1}
    assert manager_of(world, "ann@x.test") == "mia@x.test"
    world.directory.change("a", manager=None)
    world.sync()
    assert manager_of(world, "ann@x.test") is None
    assert numbers(world.sync_fully()) == {}


def test_a_manager_who_comes_later_is_set_then(world: World) -> None:
    world.directory.user("a", "ann@x.test", manager="z")
    world.sync()
    assert manager_of(world, "ann@x.test") is None
    world.directory.user("z", "zoe@x.test")
    assert numbers(world.sync()) == {"added": 1}
    assert manager_of(world, "ann@x.test") == "zoe@x.test"
    assert numbers(world.sync_fully()) == {}
