"""Races between processes that write to one database at once: one wins, the others are told, nothing is lost."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from scim_server.store.tables.identities import claims
from tests.push.installation import PATCH_OP, Client, Installation
from tests.push.invariants import violations
from tests.push.writers import NUMBER, Writers

ROUNDS = 4
EVERYBODY = range(NUMBER)


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    writers = Writers()
    yield writers
    writers.stop()


# What a writer does


def create_each(client: Client, bodies: list[dict[str, Any]]) -> list[int]:
    return [client.ask("POST", "/Users", body).status_code for body in bodies]


def rename(client: Client, user: str, names: list[str]) -> list[int]:
    return [
        client.ask(
            "PATCH", f"/Users/{user}", _patch([{"op": "replace", "path": "userName", "value": name}])
        ).status_code
        for name in names
    ]


def create_and_delete(client: Client, name: str, times: int) -> list[int]:
    statuses = []
    for _ in range(times):
        created = client.ask("POST", "/Users", {"userName": name})
        statuses.append(created.status_code)
        if created.status_code == 201:
            statuses.append(client.ask("DELETE", f"/Users/{created.json['id']}").status_code)
    return statuses


def change_members(client: Client, group: str, steps: list[tuple[str, list[str]]]) -> list[int]:
    return [
        client.ask(
            "PATCH",
            f"/Groups/{group}",
            _patch([{"op": verb, "path": "members", "value": [{"value": each} for each in ids]}]),
        ).status_code
        for verb, ids in steps
    ]


def change_title(client: Client, user: str, titles: list[str]) -> list[int]:
    return [
        client.ask("PATCH", f"/Users/{user}", _patch([{"op": "replace", "path": "title", "value": title}])).status_code
        for title in titles
    ]


def _patch(operations: list[Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": operations}


# What comes of it


def test_of_eight_who_create_one_user_one_succeeds(installation: Installation, writers: Writers) -> None:
    names = [f"person {number}" for number in range(ROUNDS)]

    answers = writers.all_do(installation, create_each, [([{"userName": name} for name in names],)] * NUMBER)

    for statuses in zip(*answers, strict=True):
        assert Counter(statuses) == {201: 1, 409: NUMBER - 1}
    assert [case.seen for case in installation.duplicates()] == [NUMBER - 1] * ROUNDS
    assert installation.client().total() == ROUNDS
    assert violations(installation.database, installation.tenant) == []


def test_each_of_the_others_is_recorded_under_its_own_name(installation: Installation, writers: Writers) -> None:
    bodies = [[{"userName": "mira", "externalId": f"e-{number}"}] for number in EVERYBODY]

    answers = writers.all_do(installation, create_each, [(body,) for body in bodies])

    assert Counter(status for (status,) in answers) == {201: 1, 409: NUMBER - 1}
    refused = {f"externalId:e-{number}" for number, (status,) in enumerate(answers) if status == 409}
    assert {case.immutable_id for case in installation.duplicates()} == refused
    assert violations(installation.database, installation.tenant) == []


def test_of_eight_who_take_one_name_one_succeeds(installation: Installation, writers: Writers) -> None:
    entra = installation.client()
    users = [entra.create(userName=f"person {number}")["id"] for number in EVERYBODY]

    answers = writers.all_do(installation, rename, [(user, ["mira"]) for user in users])

    assert Counter(status for (status,) in answers) == {200: 1, 409: NUMBER - 1}
    (winner,) = entra.find('userName eq "mira"')
    cases = installation.duplicates()
    assert {case.resource_id for case in cases} == set(users) - {winner["id"]}
    assert {case.holder_id for case in cases} == {winner["id"]}
    assert violations(installation.database, installation.tenant) == []


def test_swaps_never_give_two_holders(installation: Installation, writers: Writers) -> None:
    entra = installation.client()
    users = [entra.create(userName=f"person {number}")["id"] for number in EVERYBODY]
    work = [
        (user, [f"person {(number ^ 1) if turn % 2 == 0 else number}" for turn in range(ROUNDS)])
        for number, user in enumerate(users)
    ]

    answers = writers.all_do(installation, rename, work)

    assert {status for statuses in answers for status in statuses} <= {200, 409}
    assert {row["key"] for row in installation.rows(claims)} == {f"person {number}" for number in EVERYBODY}
    assert violations(installation.database, installation.tenant) == []
    for number, user in enumerate(users):
        entra.change(user, userName=f"settled {number}")
    assert installation.duplicates() == []


def test_a_ring_of_renames_never_gives_two_holders(installation: Installation, writers: Writers) -> None:
    entra = installation.client()
    users = [entra.create(userName=f"person {number}")["id"] for number in EVERYBODY]
    work = [
        (user, [f"person {(number + turn) % NUMBER}" for turn in range(1, ROUNDS + 1)])
        for number, user in enumerate(users)
    ]

    answers = writers.all_do(installation, rename, work)

    assert {status for statuses in answers for status in statuses} <= {200, 409}
    assert violations(installation.database, installation.tenant) == []


def test_a_name_goes_from_hand_to_hand(installation: Installation, writers: Writers) -> None:
    answers = writers.all_do(installation, create_and_delete, [("mira", 2 * ROUNDS)] * NUMBER)

    statuses = Counter(status for each in answers for status in each)
    assert set(statuses) <= {201, 204, 409}
    assert statuses[201] == statuses[204] >= 1
    assert installation.client().total() == 0
    assert installation.duplicates() == []
    assert violations(installation.database, installation.tenant) == []


def test_no_member_is_lost_when_eight_add_to_one_group(installation: Installation, writers: Writers) -> None:
    users = installation.populate(NUMBER * 200)
    entra = installation.client()
    group = entra.create_group("Everybody")["id"]
    work = [
        (group, [("add", users[start : start + 50]) for start in range(number * 200, number * 200 + 200, 50)])
        for number in EVERYBODY
    ]
    answers = writers.all_do(installation, change_members, work)

    assert {status for statuses in answers for status in statuses} == {204}
    found = entra.send("GET", f"/Groups/{group}", status=200)
    assert {member["value"] for member in found["members"]} == set(users)
    assert found["meta"]["version"].startswith(f'W/"{1 + NUMBER * 4}')


def test_members_are_added_and_removed_at_once(installation: Installation, writers: Writers) -> None:
    entra = installation.client()
    users = [entra.create(userName=f"person {number}")["id"] for number in EVERYBODY]
    group = entra.create_group("Welders", *users[::2])["id"]
    wanted = {user for number, user in enumerate(users) if number % 2}
    work = [(group, [("add" if number % 2 else "remove", [user])] * 3) for number, user in enumerate(users)]

    answers = writers.all_do(installation, change_members, work)

    assert {status for statuses in answers for status in statuses} == {204}
    found = entra.send("GET", f"/Groups/{group}", status=200)
    assert {member["value"] for member in found["members"]} == wanted


def test_no_change_of_one_user_is_lost_to_another(installation: Installation, writers: Writers) -> None:
    entra = installation.client()
    mira = entra.create(userName="mira")["id"]
    work = [(mira, [f"title {number} {turn}" for turn in range(ROUNDS)]) for number in EVERYBODY]

    answers = writers.all_do(installation, change_title, work)

    assert {status for statuses in answers for status in statuses} == {200}
    assert entra.read(mira)["meta"]["version"] == f'W/"{1 + NUMBER * ROUNDS}"'
    assert violations(installation.database, installation.tenant) == []
