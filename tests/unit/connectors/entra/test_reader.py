"""Rounds that go wrong or tell things in a strange order, and what a read then says."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from connectors.entra.config import parse_config
from connectors.entra.errors import EntraFailed
from connectors.entra.reader import EntraReader
from scim_server.domain.observations import End, Evidence, Kind, ReadFailed
from tests.directories.graph_emulator import ORIGIN, EmulatorAdapter, GraphEmulator, settings_for
from tests.directories.graph_emulator.emulator import HANG_UP, PROXY_PAGE
from tests.directories.graph_emulator.fixtures import AT_ONCE, reader_of
from tests.directories.graph_emulator.wire import Answer, graph_error, json_answer
from tests.unit.connectors.entra.reading import by_id, read

EXPIRED_PAGE = graph_error(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
LOST_STATE = [
    graph_error(410, "Gone", Location=f"{ORIGIN}/v1.0/users/delta?$deltatoken="),
    graph_error(410, "SyncStateNotFound"),
    graph_error(400, "resyncRequired"),
    graph_error(404, "syncStateNotFound"),
    graph_error(400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported."),
]


def delta_answer(plural: str, *entries: Mapping[str, object]) -> Answer:
    link = f"{ORIGIN}/v1.0/{plural}/delta?$deltatoken=eyJzaW5jZSI6OTk5OTksInNlbGVjdCI6WyJpZCJdfQ"
    return json_answer(200, {"value": list(entries), "@odata.deltaLink": link})


@pytest.mark.parametrize("answer", LOST_STATE, ids=lambda answer: f"{answer.status}-{answer.json()['error']['code']}")
def test_lost_state_leads_to_a_full_read(emulator: GraphEmulator, answer: Answer) -> None:
    ann = emulator.tenant.add_user("ann")
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.forget_delta_tokens(answer)
    observations, end = read(reader, first.cursor)
    assert (end.end, end.full) == (End.COMPLETE, True)
    assert list(by_id(observations)) == [ann]


def test_lost_state_of_the_groups_alone_repeats_the_users_in_full(emulator: GraphEmulator) -> None:
    ann, team = emulator.tenant.add_user("ann"), emulator.tenant.add_group("Team")
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.break_next("groups/delta?$deltatoken", LOST_STATE[1])
    observations, end = read(reader, first.cursor)
    assert end.full
    assert set(by_id(observations)) == {ann, team}


def test_a_malformed_first_query_is_no_lost_state(emulator: GraphEmulator) -> None:
    emulator.break_next("users/delta?$select", LOST_STATE[4], times=100)
    with pytest.raises(ReadFailed, match="Request_UnsupportedQuery"):
        read(reader_of(emulator))
    assert len(emulator.asked("users/delta")) == 1


def test_state_that_is_lost_again_and_again_ends_the_read(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    emulator.tenant.add_user("ann")
    emulator.tenant.add_user("bob")
    emulator.break_next("users/delta?$skiptoken", LOST_STATE[1], times=100)
    assert read(reader_of(emulator))[1].end is End.PARTIAL


def test_a_cursor_of_seven_days_is_not_sent_any_more(emulator: GraphEmulator) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    moments = [now]
    config = parse_config(*settings_for(emulator))
    reader = EntraReader(config, now=lambda: moments[-1], patience=AT_ONCE, adapter=EmulatorAdapter(emulator))
    _, first = read(reader)
    moments.append(now + timedelta(days=6, hours=23))
    assert read(reader, first.cursor)[1].full is False
    moments.append(now + timedelta(days=7))
    assert read(reader, first.cursor)[1].full is True
    assert len(emulator.asked("users/delta?$deltatoken")) == 1


@pytest.mark.parametrize("change", [{"guests": "yes"}, {"mapping": '{"title": null}'}, {"import_groups": "no"}])
def test_another_scope_or_mapping_reads_everything_anew(emulator: GraphEmulator, change: dict[str, str]) -> None:
    _, first = read(reader_of(emulator))
    assert read(reader_of(emulator), first.cursor)[1].full is False
    assert read(reader_of(emulator, **change), first.cursor)[1].full is True


def test_links_are_followed_as_they_came(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    for _ in range(3):
        emulator.tenant.add_user()
    reader = reader_of(emulator)
    _, first = read(reader)
    asked = emulator.asked("users/delta")
    assert [url.count("?") for url in asked] == [1, 1, 1]
    assert all("$select" not in url and "$skiptoken=" in url for url in asked[1:])
    read(reader, first.cursor)
    assert emulator.asked("users/delta?$deltatoken=")[0] in str(first.cursor)


def test_the_token_is_never_sent_to_another_host(emulator: GraphEmulator) -> None:
    elsewhere = {"value": [{"id": "x"}], "@odata.nextLink": "https://graph.evil.example/v1.0/users/delta?$skiptoken=1"}
    emulator.break_next("users/delta", json_answer(200, elsewhere))
    with pytest.raises(EntraFailed, match="another host"):
        read(reader_of(emulator))
    assert emulator.asked("evil") == []


@pytest.mark.parametrize(
    "page",
    [
        {"value": []},
        {"@odata.deltaLink": "https://x"},
        {"value": {}, "@odata.deltaLink": "https://x"},
        {"value": [{"displayName": "no id"}], "@odata.deltaLink": "https://x"},
        {"value": ["text"], "@odata.deltaLink": "https://x"},
    ],
)
def test_a_page_that_is_no_page_is_not_the_end_of_a_round(emulator: GraphEmulator, page: dict[str, object]) -> None:
    emulator.break_next("users/delta", json_answer(200, page))
    with pytest.raises(ReadFailed):
        read(reader_of(emulator))


def test_empty_pages_on_the_way_are_not_the_end(emulator: GraphEmulator) -> None:
    ann = emulator.tenant.add_user("ann")
    real = f"{ORIGIN}/v1.0/users/delta?$select=userPrincipalName,accountEnabled"
    emulator.break_next("users/delta", json_answer(200, {"value": [], "@odata.nextLink": real}))
    observations, end = read(reader_of(emulator))
    assert (list(by_id(observations)), end.end) == ([ann], End.COMPLETE)


def test_an_expired_page_is_reached_again_over_the_page_before_it(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    people = {emulator.tenant.add_user() for _ in range(4)}
    emulator.break_next("users/delta?$skiptoken", EXPIRED_PAGE, skip=1)
    observations, end = read(reader_of(emulator))
    assert (set(by_id(observations)), end.end) == (people, End.COMPLETE)
    assert len(emulator.asked("users/delta?$select")) == 1


def test_pages_that_stay_expired_restart_the_round(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    people = {emulator.tenant.add_user() for _ in range(4)}
    reader = reader_of(emulator)
    pages = reader.read(None)
    next(pages)
    emulator.rounds.expire_pages()
    seen = {observation.immutable_id for page in pages for observation in page.observations}
    assert seen == people
    assert len(emulator.asked("users/delta?$select")) == 2


def test_a_failure_in_the_middle_is_partial_and_keeps_the_cursor(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 2
    for _ in range(6):
        emulator.tenant.add_user()
    emulator.break_next("users/delta?$skiptoken", PROXY_PAGE, times=100, skip=1)
    observations, end = read(reader_of(emulator))
    assert len(by_id(observations)) == 4
    assert (end.end, end.cursor) == (End.PARTIAL, None)
    assert "proxy" in end.reason


def test_a_broken_round_proves_no_removal_and_no_missing_manager(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    ann, bob = emulator.tenant.add_user("ann"), emulator.tenant.add_user("bob")
    cat = emulator.tenant.add_user("cat")
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.tenant.delete(ann)
    emulator.tenant.change(bob, jobTitle="Boss")
    emulator.tenant.change(cat, jobTitle="Boss")
    emulator.break_next("users/delta?$skiptoken", HANG_UP, times=100, skip=1)
    observations, end = read(reader, first.cursor)
    assert end.end is End.PARTIAL
    assert list(by_id(observations)) == [bob]
    assert not observations[0].manager_known


def test_a_broken_enumeration_does_not_say_that_there_is_no_manager(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    for _ in range(3):
        emulator.tenant.add_user()
    emulator.break_next("users/delta?$skiptoken", HANG_UP, times=100, skip=1)
    observations, end = read(reader_of(emulator))
    assert end.end is End.PARTIAL
    assert [observation.manager_known for observation in observations] == [False, False]


def test_in_an_enumeration_what_is_left_out_has_no_value(emulator: GraphEmulator) -> None:
    told = {"id": "ann", "userPrincipalName": "ann@example.test", "accountEnabled": True}
    emulator.break_next("users/delta", delta_answer("users", told))
    observation = by_id(read(reader_of(emulator))[0])["ann"]
    assert (observation.attributes["title"], observation.manager_known) == (None, True)


def test_what_a_broken_off_round_told_is_forgotten_when_it_starts_again(emulator: GraphEmulator) -> None:
    emulator.rounds.page_size = 1
    ann, bob = emulator.tenant.add_user("ann"), emulator.tenant.add_user("bob")
    pages = reader_of(emulator).read(None)
    next(pages)
    emulator.tenant.delete(ann)
    emulator.rounds.expire_pages()
    assert [observation.immutable_id for page in pages for observation in page.observations] == [bob]


def test_what_was_told_before_the_state_was_lost_is_forgotten(emulator: GraphEmulator) -> None:
    ann, bob = emulator.tenant.add_user("ann"), emulator.tenant.add_user("bob")
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.tenant.change(ann, jobTitle="Engineer")
    emulator.break_next("groups/delta?$deltatoken", LOST_STATE[1])
    pages = reader.read(first.cursor)
    next(pages)
    emulator.tenant.delete(ann)
    assert [observation.immutable_id for page in pages for observation in page.observations] == [bob]


def test_a_failure_before_the_first_object_raises(emulator: GraphEmulator) -> None:
    emulator.break_next("/v1.0/", HANG_UP, times=100)
    with pytest.raises(ReadFailed, match="could not be reached"):
        read(reader_of(emulator))


def test_without_the_right_to_groups_users_come_and_the_missing_right_is_named(emulator: GraphEmulator) -> None:
    emulator.application.roles = {"User.Read.All"}
    ann = emulator.tenant.add_user("ann")
    emulator.tenant.add_group("Team")
    observations, end = read(reader_of(emulator))
    assert list(by_id(observations)) == [ann]
    assert end.end is End.PARTIAL
    assert "groups were not" in end.reason
    assert "GroupMember.Read.All" in end.reason
    assert "Grant admin consent" in end.reason


def test_groups_are_left_alone_when_they_are_not_wanted(emulator: GraphEmulator) -> None:
    emulator.application.roles = {"User.Read.All"}
    ann = emulator.tenant.add_user("ann")
    emulator.tenant.add_group("Team")
    reader = reader_of(emulator, import_groups="no")
    observations, first = read(reader)
    assert (list(by_id(observations)), first.end) == ([ann], End.COMPLETE)
    assert read(reader, first.cursor)[1].full is False
    assert emulator.asked("/groups") == []


def test_removed_and_alive_in_one_round_is_settled_by_asking(emulator: GraphEmulator) -> None:
    ann, bob = emulator.tenant.add_user("ann"), emulator.tenant.add_user("bob")
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.tenant.delete(bob)
    alive: dict[str, object] = {"userPrincipalName": "x", "accountEnabled": True}
    removed: dict[str, object] = {"@removed": {"reason": "changed"}}
    entries: list[Mapping[str, object]] = [{"id": who, **entry} for who in (ann, bob) for entry in [alive, removed]]
    emulator.break_next("users/delta?$deltatoken", delta_answer("users", *entries))
    found = by_id(read(reader, first.cursor)[0])
    assert (found[ann].evidence, found[bob].evidence) == (Evidence.PRESENT, Evidence.SOFT_DELETED)
    assert found[ann].attributes["userName"] == "ann@example.test"


def test_the_reason_tells_the_recycle_bin_from_the_end(emulator: GraphEmulator) -> None:
    ann, bob, team = emulator.tenant.add_user(), emulator.tenant.add_user(), emulator.tenant.add_group("Team")
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.tenant.delete(ann)
    emulator.tenant.delete(bob)
    emulator.tenant.purge(bob)
    emulator.tenant.delete(team)
    found = by_id(read(reader, first.cursor)[0])
    assert {key: observation.evidence for key, observation in found.items()} == {
        ann: Evidence.SOFT_DELETED,
        bob: Evidence.DELETED,
        team: Evidence.DELETED,
    }


def test_a_removal_in_an_enumeration_means_nothing(emulator: GraphEmulator) -> None:
    emulator.break_next("users/delta", delta_answer("users", {"id": "never-seen", "@removed": {"reason": "deleted"}}))
    observations, end = read(reader_of(emulator))
    assert (list(observations), end.end) == ([], End.COMPLETE)


@pytest.mark.parametrize("order", [1, -1])
def test_the_old_and_the_new_manager_come_in_any_order(emulator: GraphEmulator, order: int) -> None:
    ann, old, new = (emulator.tenant.add_user() for _ in range(3))
    emulator.tenant.set_manager(ann, old)
    reader = reader_of(emulator)
    observations, first = read(reader)
    assert by_id(observations)[ann].manager == old
    kind = {"@odata.type": "#microsoft.graph.user"}
    links = [{**kind, "id": old, "@removed": {"reason": "deleted"}}, {**kind, "id": new}][::order]
    told = {"id": ann, "userPrincipalName": "ann@example.test", "accountEnabled": True}
    pages: list[Mapping[str, object]] = [told, *({"id": ann, "manager@delta": [link]} for link in links)]
    emulator.break_next("users/delta?$deltatoken", delta_answer("users", *pages))
    observation = by_id(read(reader, first.cursor)[0])[ann]
    assert (observation.manager, observation.manager_known) == (new, True)


def test_a_removed_manager_alone_is_settled_by_asking(emulator: GraphEmulator) -> None:
    ann, boss = emulator.tenant.add_user("ann"), emulator.tenant.add_user("boss")
    emulator.tenant.set_manager(ann, boss)
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.tenant.set_manager(ann, None)
    observation = by_id(read(reader, first.cursor)[0])[ann]
    assert (observation.manager, observation.manager_known) == (None, True)


def test_a_change_without_links_leaves_the_manager_unknown(emulator: GraphEmulator) -> None:
    ann = emulator.tenant.add_user("ann")
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.tenant.change(ann, jobTitle="Engineer")
    observation = by_id(read(reader, first.cursor)[0])[ann]
    assert not observation.manager_known
    assert observation.attributes["title"] == "Engineer"


def test_members_are_merged_over_pages_and_other_kinds_are_left_out(emulator: GraphEmulator) -> None:
    ann, bob, device = emulator.tenant.add_user(), emulator.tenant.add_user(), emulator.tenant.add_device()
    team, inner = emulator.tenant.add_group("Team"), emulator.tenant.add_group("Inner")
    for member in (ann, device, bob, inner):
        emulator.tenant.add_member(team, member)
    links = [
        {"@odata.type": f"#microsoft.graph.{emulator.tenant.things[i].kind}", "id": i}
        for i in (ann, device, bob, inner)
    ]
    pages = [{"id": team, "displayName": "Team", "members@delta": [link]} for link in links]
    emulator.break_next("groups/delta", delta_answer("groups", *pages, pages[0]))
    members = by_id(read(reader_of(emulator))[0])[team].members
    assert members is not None
    assert {(member.immutable_id, member.kind) for member in members} == {
        (ann, Kind.USER),
        (bob, Kind.USER),
        (inner, Kind.GROUP),
    }


def test_a_member_added_and_removed_in_one_round_is_settled_by_reading_the_group(emulator: GraphEmulator) -> None:
    ann, team = emulator.tenant.add_user("ann"), emulator.tenant.add_group("Team")
    emulator.tenant.add_member(team, ann)
    reader = reader_of(emulator)
    _, first = read(reader)
    link = {"@odata.type": "#microsoft.graph.user", "id": ann}
    told = {"id": team, "members@delta": [link, {**link, "@removed": {"reason": "deleted"}}]}
    emulator.break_next("groups/delta?$deltatoken", delta_answer("groups", told))
    observation = by_id(read(reader, first.cursor)[0])[team]
    assert [member.immutable_id for member in observation.members or ()] == [ann]


@pytest.mark.parametrize("told", [True, False])
def test_a_restored_user_brings_memberships_and_reports_back(emulator: GraphEmulator, told: bool) -> None:
    emulator.tenant.tells_links_of_restored = told
    ann, bob, team = emulator.tenant.add_user(), emulator.tenant.add_user(), emulator.tenant.add_group("Team")
    emulator.tenant.add_member(team, ann)
    emulator.tenant.set_manager(bob, ann)
    reader = reader_of(emulator)
    _, first = read(reader)
    emulator.tenant.delete(ann)
    _, second = read(reader, first.cursor)
    emulator.tenant.restore(ann)
    found = by_id(read(reader, second.cursor)[0])
    assert found[ann].evidence is Evidence.PRESENT
    assert found[team].member_changes == {ann: True}
    assert found[bob].manager == ann
