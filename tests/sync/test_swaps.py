"""Values that move between users: plain changes, whatever the order."""

import pytest

from tests.sync.world import World, numbers


def people(world: World, *names: str) -> None:
    for name in names:
        world.directory.user(name, f"{name}@x.test", f"{name}@x.test")
    assert numbers(world.sync()) == {"added": len(names)}


def addresses(world: World) -> dict[str, str]:
    return {document["displayName"]: document["emails"][0]["value"] for document in world.users().values()}


def test_swap_email(world: World) -> None:
    people(world, "ann", "bob")
    world.directory.rename("ann", email="bob@x.test")
    world.directory.rename("bob", email="ann@x.test")
    # the address that a username spells stays with the username: swapped as well
    world.directory.rename("ann", user_name="bob@x.test")
    world.directory.rename("bob", user_name="ann@x.test")
    plan = world.preview()
    assert len({item["component"] for item in world.items(plan).values()}) == 1
    assert numbers(world.apply(plan)) == {"modified": 2}
    assert addresses(world) == {"ann": "bob@x.test", "bob": "ann@x.test"}


def test_three_cycle_username(world: World) -> None:
    people(world, "ann", "bob", "cid")
    for name, next_name in (("ann", "bob"), ("bob", "cid"), ("cid", "ann")):
        world.directory.rename(name, f"{next_name}@x.test", f"{next_name}@x.test")
    assert numbers(world.sync()) == {"modified": 3}
    assert {document["displayName"]: name for name, document in world.users().items()} == {
        "ann": "bob@x.test",
        "bob": "cid@x.test",
        "cid": "ann@x.test",
    }


def test_chain_ending_in_free_value(world: World) -> None:
    people(world, "ann", "bob", "cid")
    for name, next_name in (("ann", "bob"), ("bob", "cid"), ("cid", "dan")):
        world.directory.rename(name, f"{next_name}@x.test", f"{next_name}@x.test")
    assert numbers(world.sync()) == {"modified": 3}
    assert addresses(world) == {"ann": "bob@x.test", "bob": "cid@x.test", "cid": "dan@x.test"}


def test_delete_then_reuse_same_batch(world: World) -> None:
    people(world, "ann", "bob")
    world.directory.delete("ann")
    world.directory.user("ann-2", "ann@x.test", "ann@x.test")
    plan = world.preview()
    assert numbers(plan) == {"added": 1, "deleted": 1}
    items = world.items(plan)
    assert items["ann"]["component"] == items["ann-2"]["component"]
    assert numbers(world.apply(plan)) == {"added": 1, "deleted": 1}
    assert set(world.users()) == {"ann@x.test", "bob@x.test"}


def test_reuse_after_tombstone(world: World) -> None:
    people(world, "ann")
    old = world.user("ann@x.test")["id"]
    world.directory.delete("ann")
    assert numbers(world.sync()) == {"deleted": 1}
    world.directory.user("ann-2", "ann@x.test", "ann@x.test")
    assert numbers(world.sync()) == {"added": 1}
    assert world.user("ann@x.test")["id"] != old


def test_case_only_rename(world: World) -> None:
    people(world, "ann")
    world.directory.rename("ann", "Ann@x.test", "Ann@X.test")
    assert numbers(world.sync()) == {"modified": 1}
    assert world.emails() == {"Ann@x.test": ["Ann@X.test"]}
    assert world.duplicates() == []


def test_unicode_equivalent_username(world: World) -> None:
    people(world, "ann")
    world.directory.user("one", "Straße@x.test")
    assert numbers(world.sync()) == {"added": 1}
    world.directory.user("two", "ＳＴＲＡＳＳＥ@x.test")
    assert numbers(world.sync()) == {"duplicated": 1}
    (case,) = world.duplicates()
    assert (case.kind, case.holder_id) == ("username", world.user("Straße@x.test")["id"])


def test_restore_same_guid(world: World) -> None:
    people(world, "ann")
    first = world.user("ann@x.test")["id"]
    world.directory.delete("ann", soft=True)
    assert numbers(world.sync()) == {"deleted": 1}
    assert world.users() == {}
    world.directory.bring_back("ann")
    assert numbers(world.sync()) == {"restored": 1}
    assert world.user("ann@x.test")["id"] == first


def test_new_guid_same_name(world: World) -> None:
    people(world, "ann")
    first = world.user("ann@x.test")["id"]
    world.directory.delete("ann")
    world.directory.user("other", "ann@x.test", "ann@x.test")
    world.sync()
    assert world.user("ann@x.test")["id"] != first


@pytest.mark.parametrize("contested", ["best", "none"])
def test_two_new_same_mail(world: World, contested: str) -> None:
    world.configure(contested_new=contested)
    world.directory.user("ann", "ann@x.test", "team@x.test")
    world.directory.user("bob", "bob@x.test", "team@x.test")
    plan = world.preview()
    expected = {"added": 1, "duplicated": 1} if contested == "best" else {"duplicated": 2}
    assert numbers(plan) == expected
    assert numbers(world.apply(plan)) == expected
    assert {case.kind for case in world.duplicates()} == {"contested"}
    assert set(world.users()) == ({"ann@x.test"} if contested == "best" else set())
    world.directory.rename("bob", email="bob@x.test")
    assert numbers(world.sync()) == ({"added": 1} if contested == "best" else {"added": 2})
    assert world.duplicates() == []


def test_admin_and_daily_account_same_mail(world: World) -> None:
    world.directory.user("daily", "ann@x.test", "ann@x.test")
    world.sync()
    world.directory.user("admin", "adm-ann@x.test", "ann@x.test")
    assert numbers(world.sync()) == {"duplicated": 1}
    (case,) = world.duplicates()
    assert (case.kind, case.immutable_id, case.value) == ("email", "admin", "ann@x.test")
    assert numbers(world.sync()) == {"duplicated": 1}
    (again,) = world.duplicates()
    assert (again.id, again.seen) == (case.id, 2)


def test_secondary_address_taken(world: World) -> None:
    people(world, "ann")
    emails = [{"value": "bob@x.test", "primary": True}, {"value": "ann@x.test"}, {"value": "robert@x.test"}]
    world.directory.user("bob", "bob@x.test", attributes={"emails": emails})
    assert numbers(world.sync()) == {"added": 1}
    assert world.emails()["bob@x.test"] == ["bob@x.test", "robert@x.test"]
    (case,) = world.duplicates()
    assert (case.kind, case.value) == ("secondary_email", "ann@x.test")
    assert numbers(world.sync()) == {}
    world.directory.rename("ann", "anna@x.test", "anna@x.test")
    assert numbers(world.sync()) == {"modified": 2}
    assert world.emails()["bob@x.test"] == ["bob@x.test", "ann@x.test", "robert@x.test"]
    assert world.duplicates() == []
