"""The scenarios that concern a directory, with a real domain controller (see tests/sync for all of them)."""

from pathlib import Path
from typing import Any

import pytest

from tests.directories.proxy import Proxy
from tests.sync.world import numbers
from tests.sync_ad.office import Office


def test_swap_email(office: Office) -> None:
    ann, bob = office.hire("ann"), office.hire("bob")
    assert office.changes() == {"added": 2}
    office.domain.set(ann, mail="bob@example.test")
    office.domain.set(bob, mail="ann@example.test")
    # the usernames spell the addresses, so they swap too; a domain allows no two users one principal name
    office.call(ann, "meanwhile")
    office.call(bob, "ann")
    office.call(ann, "bob")
    assert office.changes() == {"modified": 2}
    assert {name: user["displayName"] for name, user in office.users().items()} == {
        "ann@example.test": "bob",
        "bob@example.test": "ann",
    }
    assert office.emails()["ann@example.test"] == ["ann@example.test"]
    assert office.duplicates() == []


def test_case_only_rename(office: Office) -> None:
    ann = office.hire("ann")
    office.sync()
    before = office.ids()["ann@example.test"]
    office.domain.set(ann, userPrincipalName="Ann@Example.test", mail="ANN@example.test")
    assert office.changes() == {"modified": 1}
    assert office.ids() == {"Ann@Example.test": before}
    assert office.emails() == {"Ann@Example.test": ["ANN@example.test"]}


def test_delete_then_reuse_same_batch(office: Office) -> None:
    old = office.hire("ann")
    office.sync()
    before = office.ids()["ann@example.test"]
    office.domain.delete(old)
    office.hire("ann")
    assert office.changes() == {"added": 1, "deleted": 1}
    assert set(office.ids()) == {"ann@example.test"}
    assert office.ids()["ann@example.test"] != before
    assert office.duplicates() == []


def test_new_guid_same_name_is_a_new_user_in_a_full_read_too(office: Office) -> None:
    old = office.hire("ann")
    office.hire("bob")
    office.sync()
    before = office.ids()["ann@example.test"]
    office.domain.delete(old)
    assert office.changes(full=True) == {"deleted": 1}
    office.hire("ann")
    assert office.changes(full=True) == {"added": 1}
    assert office.ids()["ann@example.test"] != before


def test_restore_same_guid(office: Office) -> None:
    ann = office.hire("ann")
    group = office.domain.add_group(office.unit, "team", (ann,))
    office.sync()
    before = office.ids()["ann@example.test"]
    office.domain.delete(ann)
    assert office.changes() == {"deleted": 1}
    assert office.users() == {}
    office.reanimate(ann, "ann")
    office.domain.add_member(group, ann)
    assert office.changes() == {"restored": 1}
    assert office.ids() == {"ann@example.test": before}
    assert office.members("team") == {"ann"}


def test_ou_moved_out_of_scope(office: Office) -> None:
    unit = office.domain.add_unit(office.unit)
    people = [office.hire(name) for name in ("ann", "bob")]
    for person in people:
        office.domain.move(person, unit)
    for name in ("cid", "dee"):  # a read that brings less than half of the last one is held back
        office.hire(name)
    office.sync()
    before = office.ids()
    moved = office.move_unit(unit, office.elsewhere)
    # nothing is written to those below, so only a full read tells
    assert office.changes(full=True) == {"deactivated": 2}
    assert office.active() == {"cid", "dee"}
    assert office.ids() == before
    office.move_unit(moved, office.unit)
    assert office.changes(full=True) == {"reactivated": 2}
    assert office.active() == {"ann", "bob", "cid", "dee"}
    assert office.ids() == before


def test_a_person_moved_out_of_scope_is_noticed_by_the_next_run(office: Office) -> None:
    ann = office.hire("ann")
    office.hire("bob")
    office.sync()
    office.domain.move(ann, office.elsewhere)
    assert office.changes() == {"deactivated": 1}
    assert office.active() == {"bob"}


@pytest.mark.parametrize("full", [False, True])
def test_a_person_deleted_after_leaving_the_scope_is_deleted(sqlite_office: Office, full: bool) -> None:
    office = sqlite_office
    ann = office.hire("ann")
    office.hire("bob")
    office.sync()
    office.domain.move(ann, office.elsewhere)
    assert office.changes(full=full) == {"deactivated": 1}
    assert office.changes(full=full) == {}
    office.domain.delete(ann)
    assert office.changes(full=full) == {"deleted": 1}
    assert set(office.ids()) == {"bob@example.test"}


def test_base_dn_renamed(office: Office) -> None:
    office.hire_staff(3)
    office.sync()
    before = office.users()
    gone = office.unit
    office.domain.rename_unit(gone, "renamed")
    for full in (False, True):
        plan = office.preview(full=full)
        assert plan.status == "failed"
        assert "does not exist" in plan.reason
        assert gone in plan.reason
    assert office.users() == before
    office.unit = gone.replace(gone.partition(",")[0], "OU=renamed", 1)
    office.connect()
    assert office.changes() == {}
    assert office.users() == before


def test_dc_failover(office: Office) -> None:
    address = office.domain.controller.address
    first, second = Proxy(address, 636), Proxy(address, 636)
    office.connect(urls=f"{first.url}\n{second.url}")
    office.hire_staff(3)
    leaver = office.hire("ann")
    office.sync()
    assert second.connections == 0
    first.close()
    office.domain.delete(leaver)
    plan = office.preview()
    assert plan.counts.read == 3  # everybody, for a cursor is good for its own controller only
    assert numbers(office.apply(plan)) == {"deleted": 1}
    assert office.preview().counts.read < 3  # and from now on only what changed
    second.close()


def test_second_run_empty(office: Office) -> None:
    staff = office.hire_staff(5)
    office.hire("twin", mail="person00@example.test")
    office.domain.add_group(office.unit, "team", tuple(staff))
    assert office.changes() == {"added": 5, "duplicated": 1}
    before = office.users()
    for full in (False, True):
        plan = office.preview(full=full)
        assert numbers(plan) == {"duplicated": 1}
        assert [item["word"] for item in office.items(plan).values()] == ["duplicated"]
        assert numbers(office.apply(plan)) == {"duplicated": 1}
    assert office.users() == before
    assert len(office.duplicates()) == 1


def test_push_then_pull(office: Office) -> None:
    guid = office.hire("ann", title="Director")
    pushed = office.push_user("ann@example.test", "ann@example.test", displayName="Ann pushed", externalId=guid)
    assert office.changes() == {"duplicated": 1}  # nothing says that the two are the same person
    cases = office.duplicates()
    assert {(case.kind, case.holder_id) for case in cases} == {("username", pushed), ("email", pushed)}
    assert office.user("ann@example.test")["displayName"] == "Ann pushed"


def test_pull_then_push_onto_a_taken_name_is_refused(office: Office, tmp_path: Path) -> None:
    office.hire("ann")
    office.sync()
    client = office.over_scim(tmp_path)
    answer = client.create(status=409, userName="ann@example.test")
    assert answer["scimType"] == "uniqueness"
    assert len(office.users()) == 1


def test_groups_with_nesting_and_loops_end_in_the_groups_of_a_user(office: Office, tmp_path: Path) -> None:
    ann, bob = office.hire("ann"), office.hire("bob")
    inner = office.domain.add_group(office.unit, "inner", (ann,))
    outer = office.domain.add_group(office.unit, "outer", (bob, inner))
    office.domain.add_member(inner, outer)  # a loop
    office.sync()
    client = office.over_scim(tmp_path)
    ids = office.ids()
    assert _groups(client.read(ids["ann@example.test"])) == {"inner": "direct", "outer": "indirect"}
    assert _groups(client.read(ids["bob@example.test"])) == {"outer": "direct", "inner": "indirect"}
    office.domain.remove_member(outer, bob)
    office.sync()
    assert "groups" not in client.read(ids["bob@example.test"])


def _groups(user: dict[str, Any]) -> dict[str, str]:
    return {each["display"]: each["type"] for each in user["groups"]}


def test_pages_and_their_order_do_not_matter(office: Office) -> None:
    office.domain.add_group(office.unit, "team", tuple(office.hire_staff(7)))
    fingerprints = set()
    for size in ("1", "3", "500"):
        office.connect(page_size=size)
        fingerprints.add(office.preview().content_fingerprint)
    assert len(fingerprints) == 1
