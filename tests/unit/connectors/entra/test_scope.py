"""Who comes in, who entered or left, and objects looked up, found and browsed one by one."""

import pytest

from scim_server.domain.observations import Evidence, ReadFailed
from tests.directories.graph_emulator import GraphEmulator
from tests.directories.graph_emulator.fixtures import reader_of
from tests.directories.graph_emulator.wire import graph_error
from tests.unit.connectors.entra.reading import by_id, read


def test_members_of_scope_groups_and_of_groups_inside_them_come_in(emulator: GraphEmulator) -> None:
    tenant = emulator.tenant
    ann, bob, eve = tenant.add_user("ann"), tenant.add_user("bob"), tenant.add_user("eve")
    outer, inner, other = tenant.add_group("Outer"), tenant.add_group("Inner"), tenant.add_group("Other")
    for group, member in ((outer, ann), (outer, inner), (inner, bob), (inner, outer), (other, eve)):
        tenant.add_member(group, member)
    observations, _ = read(reader_of(emulator, scope_groups=outer))
    assert set(by_id(observations)) == {ann, bob, outer, inner}
    observations, _ = read(reader_of(emulator, scope_groups=outer, users="all"))
    assert set(by_id(observations)) == {ann, bob, eve, outer, inner}


def test_entering_and_leaving_the_scope_is_told_with_everything_known(emulator: GraphEmulator) -> None:
    tenant = emulator.tenant
    ann, bob, boss, team = tenant.add_user(), tenant.add_user(), tenant.add_user(), tenant.add_group("Team")
    tenant.add_member(team, ann)
    tenant.set_manager(bob, boss)
    reader = reader_of(emulator, scope_groups=team)
    _, first = read(reader)
    tenant.remove_member(team, ann)
    tenant.add_member(team, bob)
    found = by_id(read(reader, first.cursor)[0])
    assert found[ann].evidence is Evidence.OUT_OF_SCOPE
    assert (found[bob].evidence, found[bob].manager) == (Evidence.PRESENT, boss)
    assert found[team].member_changes == {ann: False, bob: True}


def test_a_deleted_user_did_not_only_leave_the_scope(emulator: GraphEmulator) -> None:
    ann, team = emulator.tenant.add_user("ann"), emulator.tenant.add_group("Team")
    emulator.tenant.add_member(team, ann)
    reader = reader_of(emulator, scope_groups=team)
    _, first = read(reader)
    emulator.tenant.delete(ann)
    assert by_id(read(reader, first.cursor)[0])[ann].evidence is Evidence.SOFT_DELETED


def test_changes_outside_the_scope_are_not_told(emulator: GraphEmulator) -> None:
    eve, team = emulator.tenant.add_user("eve"), emulator.tenant.add_group("Team")
    reader = reader_of(emulator, scope_groups=team)
    _, first = read(reader)
    emulator.tenant.change(eve, jobTitle="Spy")
    assert read(reader, first.cursor)[0] == []


def test_a_scope_group_that_is_gone_is_a_failure_and_no_empty_scope(emulator: GraphEmulator) -> None:
    ann, team = emulator.tenant.add_user("ann"), emulator.tenant.add_group("Team")
    emulator.tenant.add_member(team, ann)
    reader = reader_of(emulator, scope_groups=team)
    _, first = read(reader)
    emulator.tenant.delete(team)
    with pytest.raises(ReadFailed, match=f"scope group {team}"):
        read(reader, first.cursor)


@pytest.mark.parametrize("guests", ["yes", "no"])
def test_guests_come_in_only_where_they_are_wanted(emulator: GraphEmulator, guests: str) -> None:
    ann, guest = emulator.tenant.add_user("ann"), emulator.tenant.add_user("gus", userType="Guest")
    observations, _ = read(reader_of(emulator, guests=guests))
    assert set(by_id(observations)) == ({ann, guest} if guests == "yes" else {ann})


def test_a_look_up_tells_what_became_of_each(emulator: GraphEmulator) -> None:
    tenant = emulator.tenant
    ann, soft, gone, team = tenant.add_user(), tenant.add_user(), tenant.add_user(), tenant.add_group("Team")
    tenant.add_member(team, ann)
    tenant.delete(soft)
    tenant.delete(gone)
    tenant.purge(gone)
    found = reader_of(emulator).look_up([ann, soft, gone, team])
    assert [found[key].evidence for key in (ann, soft, gone, team)] == [
        Evidence.PRESENT,
        Evidence.SOFT_DELETED,
        Evidence.DELETED,
        Evidence.PRESENT,
    ]
    assert [member.immutable_id for member in found[team].members or ()] == [ann]


def test_a_group_counts_as_restorable_where_its_recycle_bin_may_not_be_seen(emulator: GraphEmulator) -> None:
    team = emulator.tenant.add_group("Team", unified=True)
    emulator.tenant.delete(team)
    emulator.application.roles = {"User.Read.All", "GroupMember.Read.All"}
    assert reader_of(emulator).look_up([team])[team].evidence is Evidence.SOFT_DELETED
    emulator.tenant.purge(team)
    assert reader_of(emulator).look_up([team])[team].evidence is Evidence.DELETED


def test_what_may_not_be_looked_up_is_left_out(emulator: GraphEmulator) -> None:
    ann, bob = emulator.tenant.add_user("ann"), emulator.tenant.add_user("bob")
    emulator.break_next(f"/users/{ann}", graph_error(403, "Authorization_RequestDenied"))
    assert list(reader_of(emulator).look_up([ann, bob])) == [bob]


def test_people_are_found_by_alias_and_with_quotes_in_the_name(emulator: GraphEmulator) -> None:
    ann = emulator.tenant.add_user("ann", displayName="Ann O'Hara", proxyAddresses=["smtp:alias@example.test"])
    guest = emulator.tenant.add_user("gus_partner.example#EXT#", userType="Guest")
    reader = reader_of(emulator)
    assert [found.immutable_id for found in reader.find("Ann O'Hara")] == [ann]
    assert [found.immutable_id for found in reader.find(" alias@example.test ")] == [ann]
    found = reader.find("gus_partner.example#EXT#@example.test")
    assert [(one.immutable_id, one.evidence) for one in found] == [(guest, Evidence.OUT_OF_SCOPE)]


def test_groups_are_browsed_by_name_and_kind(emulator: GraphEmulator) -> None:
    outer, inner = emulator.tenant.add_group("outer"), emulator.tenant.add_group("Inner", unified=True)
    emulator.tenant.add_member(outer, inner)
    emulator.tenant.add_member(outer, emulator.tenant.add_user("ann"))
    reader = reader_of(emulator)
    assert [(place.name, place.kind) for place in reader.browse(None)] == [
        ("Inner", "Microsoft 365 group"),
        ("outer", "Security group"),
    ]
    assert [place.id for place in reader.browse(outer)] == [inner]
