"""Objects that meet somebody who is there already: local, pushed, inactive, or the same person."""

import pytest

from scim_server.scim.errors import Uniqueness
from tests.sync.world import World, numbers

GUID = "11111111-2222-4333-8444-555555555555"
ENTRA = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


@pytest.mark.parametrize("kind", ["active-directory", "entra"])
def test_incumbent_local_same_email(world: World, kind: str) -> None:
    holder = world.push_user("local@x.test", "ann@x.test")
    before = world.user("local@x.test")
    source = world.corp if kind == "active-directory" else world.add_source("cloud", kind, 20)
    world.directory.user("ann", "ann.new@x.test", "ann@x.test")
    assert numbers(world.sync(source=source)) == {"duplicated": 1}
    (case,) = world.duplicates()
    assert (case.kind, case.holder_id, case.immutable_id) == ("email", holder, "ann")
    assert world.users() == {"local@x.test": before}


def test_incumbent_inactive(world: World) -> None:
    world.directory.user("ann", "ann@x.test", "ann@x.test", enabled=False)
    world.sync()
    assert world.user("ann@x.test")["active"] is False
    world.directory.user("ann-2", "ann@x.test", "ann2@x.test")
    assert numbers(world.sync()) == {"duplicated": 1}
    assert [case.kind for case in world.duplicates()] == ["held_by_inactive"]


def test_same_person_ad_and_entra_by_anchor(world: World) -> None:
    cloud = world.add_source("cloud", "entra", 20)
    other = type(world.directory)(now=world.clock.now)
    world.directory.user("ad-ann", "ann@corp.test", "ann@x.test", anchors={"ad_guid": GUID})
    other.user(ENTRA, "ann@x.test", "ann@x.test", anchors={"ad_guid": GUID, "entra_id": ENTRA},
               attributes={"title": "Engineer"})  # fmt: skip
    world.sync()
    assert numbers(world.sync(source=cloud, directory=other)) == {"linked": 1}
    (ann,) = world.users().values()
    assert (ann["userName"], ann["title"], world.duplicates()) == ("ann@corp.test", "Engineer", [])
    assert numbers(world.sync(source=cloud, directory=other, full=True)) == {}


def test_push_then_pull(world: World) -> None:
    cloud = world.add_source("cloud", "entra", 20)
    pushed = world.push_user("ann@x.test", "ann@x.test", externalId=ENTRA, title="Pushed")
    world.clock.pass_by(hours=1)
    world.directory.user(ENTRA, "ann@x.test", "ann@x.test", anchors={"entra_id": ENTRA}, attributes={"title": "Pulled"})
    assert numbers(world.sync(source=cloud)) == {"linked": 1}
    (ann,) = world.users().values()
    assert (ann["id"], ann["title"]) == (pushed, "Pulled")


def test_pull_then_push(world: World) -> None:
    cloud = world.add_source("cloud", "entra", 20)
    world.directory.user(ENTRA, "ann@x.test", "ann@x.test", anchors={"entra_id": ENTRA})
    world.sync(source=cloud)
    pulled = world.user("ann@x.test")["id"]
    assert world.push_user("ann@x.test", "ann@x.test", externalId=ENTRA) == pulled
    assert len(world.users()) == 1
    assert numbers(world.sync(source=cloud, full=True)) == {}


def test_a_pull_soon_after_a_push_leaves_the_pushed_value(world: World) -> None:
    cloud = world.add_source("cloud", "entra", 20)
    world.directory.user(ENTRA, "ann@x.test", "ann@x.test", anchors={"entra_id": ENTRA}, attributes={"title": "Old"})
    world.sync(source=cloud)
    user = world.push_user("ann@x.test", "ann@x.test", externalId=ENTRA, title="New")
    world.clock.pass_by(minutes=5)
    plan = world.preview(source=cloud, full=True)
    assert world.apply(plan).status == "applied"
    assert world.user("ann@x.test")["title"] == "New"
    world.directory.change(ENTRA, attributes={"nickName": "Anni"})
    plan = world.preview(source=cloud)
    assert plan.counts.deferred == 1
    world.apply(plan)
    assert (world.user("ann@x.test")["id"], world.user("ann@x.test")["title"]) == (user, "New")
    world.clock.pass_by(hours=1)
    assert world.sync(source=cloud, full=True).counts.deferred == 0
    assert world.user("ann@x.test")["title"] == "Old"


def test_push_between_preview_and_confirm(world: World) -> None:
    world.directory.user("ann", "ann@x.test", "ann@x.test", attributes={"title": "One"})
    world.directory.user("bob", "bob@x.test", "bob@x.test")
    world.sync()
    world.directory.change("ann", attributes={"title": "Two"})
    world.directory.change("bob", attributes={"title": "Boss"})
    plan = world.preview()
    world.push_change(world.user("ann@x.test")["id"], nickName="Anni")
    run = world.apply(plan)
    assert run.status == "applied_with_drift"
    assert numbers(run) == {"modified": 1, "stale": 1}
    assert world.user("ann@x.test")["nickName"] == "Anni"
    assert world.user("bob@x.test")["title"] == "Boss"
    assert numbers(world.sync()) == {"modified": 1}
    ann = world.user("ann@x.test")
    assert (ann["nickName"], ann["title"]) == ("Anni", "Two")


def test_push_race_on_claim(world: World) -> None:
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.directory.user("bob", "bob@x.test", "bob@x.test")
    plan = world.preview()
    winner = world.push_user("ann@x.test")
    run = world.apply(plan)
    assert (run.status, numbers(run)) == ("applied_with_drift", {"added": 1, "stale": 1})
    assert world.user("ann@x.test")["id"] == winner
    assert numbers(world.sync()) == {"duplicated": 1}
    assert {case.holder_id for case in world.duplicates()} == {winner}


def test_a_push_onto_a_pulled_value_is_refused(world: World) -> None:
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.sync()
    with pytest.raises(Uniqueness):
        world.push_user("ann@x.test")


def test_duplicate_cleared_when_released(world: World) -> None:
    holder = world.push_user("ann@x.test")
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.sync()
    assert {case.kind for case in world.duplicates()} == {"username", "cross_login"}
    world.push_change(holder, userName="somebody@x.test")
    assert numbers(world.sync()) == {"added": 1}
    assert world.duplicates() == []
    assert {case.immutable_id for case in world.duplicates("cleared")} == {"ann"}
    assert world.rows("retries") == []


def test_a_duplicate_whose_object_is_gone_is_cleared(world: World) -> None:
    world.push_user("ann@x.test")
    world.directory.user("ann", "ann@x.test")
    world.sync()
    world.directory.delete("ann")
    world.sync()
    assert (world.duplicates(), world.rows("retries")) == ([], [])


def test_holder_not_in_delta_has_vacated(world: World) -> None:
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.sync()
    # the delta lags behind: it tells the newcomer, not that the holder has been renamed
    world.directory.rename("ann", "anna@x.test", "anna@x.test")
    cursor = world.directory.cursor
    world.directory.user("new", "ann@x.test", "ann@x.test")
    with world.database.writing(world.tenant) as session:
        session._connection.execute(f"UPDATE sources SET cursor = '{cursor}' WHERE id = {world.corp}")
    plan = world.preview()
    assert numbers(plan) == {"added": 1, "modified": 1}
    assert len({item["component"] for item in world.items(plan).values()}) == 1
    assert "Also needed" in world.items(plan)["ann"]["reasons"]
    world.apply(plan)
    assert set(world.users()) == {"ann@x.test", "anna@x.test"}
    assert world.duplicates() == []


def test_holder_not_selected(world: World) -> None:
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.sync()
    world.directory.rename("ann", "anna@x.test", "anna@x.test")
    world.directory.user("new", "ann@x.test", "ann@x.test")
    plan = world.preview("new")
    assert numbers(plan) == {"added": 1, "modified": 1}
    run = world.apply(plan, components=[])
    assert (numbers(run), world.duplicates()) == ({}, [])
    assert {row["reason"] for row in world.rows("retries")} == {"unselected"}
    assert numbers(world.sync()) == {"added": 1, "modified": 1}


def test_a_holder_that_cannot_be_read_makes_no_duplicate(world: World) -> None:
    world.directory.user("ann", "ann@x.test", "ann@x.test")
    world.sync()
    world.directory.user("new", "ann@x.test", "ann@x.test")
    world.directory.faults.unreadable = frozenset(("ann",))
    assert numbers(world.sync()) == {"blocked_by": 1}
    assert world.duplicates() == []
    world.directory.faults.unreadable = frozenset()
    assert numbers(world.sync()) == {"duplicated": 1}


def test_dismissed_stays_quiet(world: World) -> None:
    world.push_user("ann@x.test", "ann@x.test")
    world.directory.user("ann", "ann.new@x.test", "ann@x.test")
    world.sync()
    world.resolutions.dismiss(world.tenant, world.duplicates()[0].id, "admin")
    assert numbers(world.sync()) == {"dismissed": 1}
    assert (world.duplicates(), len(world.duplicates("dismissed"))) == ([], 1)
    # another holder is another matter
    world.push_change(world.user("ann@x.test")["id"], emails=[{"value": "free@x.test"}], userName="free@x.test")
    world.push_user("else@x.test", "ann@x.test")
    assert numbers(world.sync()) == {"duplicated": 1}
    assert len(world.duplicates()) == 1
