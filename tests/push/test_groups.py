"""Groups: names, members and the groups of a user, as pushes change them."""

from uuid import uuid4

import pytest

from scim_server.store.tables.identities import members
from tests.push.installation import Client, Installation


def member_ids(client: Client, group: str) -> set[str]:
    found = client.send("GET", f"/Groups/{group}", status=200).get("members", [])
    ids = [member["value"] for member in found]
    assert len(ids) == len(set(ids))
    return set(ids)


def groups_of(client: Client, user: str) -> dict[str, str]:
    return {group["value"]: group["type"] for group in client.read(user).get("groups", [])}


def people(client: Client, number: int) -> list[str]:
    return [client.create(userName=f"person {each}")["id"] for each in range(number)]


# Names


def test_a_second_group_of_one_name_is_refused_and_recorded(installation: Installation, entra: Client) -> None:
    group = entra.create_group("Plant Quality")["id"]

    refused = entra.create_group("PLANT  quality", status=409)

    assert refused["scimType"] == "uniqueness"
    assert "displayName" in refused["detail"]
    case = installation.case()
    assert (case.kind, case.type, case.holder_id) == ("group_name", "Group", group)


def test_group_names_need_not_be_unique_where_the_tenant_says_so(installation: Installation) -> None:
    installation.set_rules(group_name_unique="false")
    entra = installation.client()
    first = entra.create_group("Plant Quality")["id"]

    second = entra.create_group("Plant Quality")["id"]

    assert {found["id"] for found in entra.find('displayName eq "Plant Quality"', "Groups")} == {first, second}
    assert installation.cases() == {}


def test_a_group_may_have_the_name_of_a_user(entra: Client) -> None:
    entra.create(userName="Plant Quality", displayName="Plant Quality")

    entra.create_group("Plant Quality")


def test_swapped_group_names(installation: Installation, entra: Client) -> None:
    first, second = entra.create_group("First")["id"], entra.create_group("Second")["id"]

    entra.patch(f"/Groups/{first}", [{"op": "replace", "path": "displayName", "value": "Second"}], status=409)
    entra.patch(f"/Groups/{second}", [{"op": "replace", "path": "displayName", "value": "First"}], status=204)

    assert entra.send("GET", f"/Groups/{first}", status=200)["displayName"] == "Second"
    assert installation.cases() == {"cleared": 1}


def test_the_name_of_a_deleted_group_is_free(entra: Client) -> None:
    old = entra.create_group("Plant Quality")["id"]
    entra.send("DELETE", f"/Groups/{old}", status=204)

    assert entra.create_group("Plant Quality")["id"] != old
    assert entra.total("Groups") == 1


def test_members_of_a_group_whose_name_is_refused_are_not_added(installation: Installation, entra: Client) -> None:
    mira, tove = people(entra, 2)
    entra.create_group("First")
    second = entra.create_group("Second", mira)["id"]

    entra.patch(
        f"/Groups/{second}",
        [
            {"op": "add", "path": "members", "value": [{"value": tove}]},
            {"op": "replace", "path": "displayName", "value": "First"},
        ],
        status=409,
    )

    assert member_ids(entra, second) == {mira}


# Members


def test_members_come_and_go(entra: Client) -> None:
    mira, tove, olga = people(entra, 3)
    group = entra.create_group("Welders", mira)["id"]
    path = f"/Groups/{group}"

    entra.patch(path, [{"op": "Add", "path": "members", "value": [{"value": tove}, {"value": olga}]}], status=204)
    assert member_ids(entra, group) == {mira, tove, olga}
    entra.patch(path, [{"op": "Remove", "path": "members", "value": [{"value": tove}]}], status=204)
    assert member_ids(entra, group) == {mira, olga}
    entra.patch(path, [{"op": "remove", "path": f'members[value eq "{mira}"]'}], status=204)
    assert member_ids(entra, group) == {olga}
    entra.patch(path, [{"op": "replace", "path": "members", "value": [{"value": mira}, {"value": tove}]}], status=204)
    assert member_ids(entra, group) == {mira, tove}
    entra.patch(path, [{"op": "remove", "path": "members"}], status=204)
    assert member_ids(entra, group) == set()


def test_steps_of_one_request_count_in_their_order(entra: Client) -> None:
    mira, tove, olga = people(entra, 3)
    group = entra.create_group("Welders", mira)["id"]

    entra.patch(
        f"/Groups/{group}",
        [
            {"op": "add", "path": "members", "value": [{"value": tove}]},
            {"op": "remove", "path": "members"},
            {"op": "add", "path": "members", "value": [{"value": olga}]},
        ],
        status=204,
    )

    assert member_ids(entra, group) == {olga}


def test_a_replaced_group_has_the_members_of_the_body(entra: Client) -> None:
    mira, tove, olga = people(entra, 3)
    group = entra.create_group("Welders", mira, tove)["id"]

    entra.send(
        "PUT",
        f"/Groups/{group}",
        {"displayName": "Welders", "members": [{"value": tove}, {"value": olga}]},
        status=200,
    )

    assert member_ids(entra, group) == {tove, olga}


def test_a_member_that_nobody_knows_is_refused_and_nothing_is_written(entra: Client) -> None:
    mira, tove = people(entra, 2)
    group = entra.create_group("Welders", mira)["id"]
    before = entra.send("GET", f"/Groups/{group}", status=200)

    refused = entra.patch(
        f"/Groups/{group}",
        [
            {"op": "replace", "path": "displayName", "value": "Fitters"},
            {"op": "add", "path": "members", "value": [{"value": tove}, {"value": str(uuid4())}]},
        ],
        status=400,
    )

    assert refused["scimType"] == "invalidValue"
    assert entra.send("GET", f"/Groups/{group}", status=200) == before
    entra.create_group("Riveters", str(uuid4()), status=400)
    assert entra.find('displayName eq "Riveters"', "Groups") == []


def test_a_deleted_user_is_in_no_group(entra: Client) -> None:
    mira, tove = people(entra, 2)
    group = entra.create_group("Welders", mira, tove)["id"]

    entra.remove(mira)

    assert member_ids(entra, group) == {tove}
    assert entra.find(f'members.value eq "{mira}"', "Groups") == []


def test_a_deleted_group_is_no_group_of_its_members(entra: Client) -> None:
    (mira,) = people(entra, 1)
    group = entra.create_group("Welders", mira)["id"]

    entra.send("DELETE", f"/Groups/{group}", status=204)

    assert groups_of(entra, mira) == {}


def test_a_member_is_found_by_the_groups_it_is_in(entra: Client) -> None:
    mira, tove = people(entra, 2)
    group = entra.create_group("Welders", mira)["id"]

    assert [found["id"] for found in entra.find(f'groups.value eq "{group}"')] == [mira]
    assert [found["id"] for found in entra.find(f'id eq "{group}" and members eq "{mira}"', "Groups")] == [group]
    assert entra.find(f'id eq "{group}" and members eq "{tove}"', "Groups") == []


# Groups in groups


def test_a_user_has_the_groups_around_its_groups(entra: Client) -> None:
    (mira,) = people(entra, 1)
    inner = entra.create_group("Inner", mira)["id"]
    outer = entra.create_group("Outer", inner)["id"]

    assert groups_of(entra, mira) == {inner: "direct", outer: "indirect"}
    assert entra.send("GET", f"/Groups/{outer}", status=200)["members"][0]["type"] == "Group"


def test_groups_may_contain_each_other(entra: Client) -> None:
    (mira,) = people(entra, 1)
    first = entra.create_group("First", mira)["id"]
    second = entra.create_group("Second", first)["id"]
    third = entra.create_group("Third", second)["id"]
    entra.patch(f"/Groups/{first}", [{"op": "add", "path": "members", "value": [{"value": third}]}], status=204)

    assert groups_of(entra, mira) == {first: "direct", second: "indirect", third: "indirect"}
    entra.patch(f"/Groups/{first}", [{"op": "add", "path": "members", "value": [{"value": first}]}], status=204)
    assert member_ids(entra, first) == {mira, third, first}


def test_a_deleted_group_leads_to_no_group_around_it(entra: Client) -> None:
    (mira,) = people(entra, 1)
    inner = entra.create_group("Inner", mira)["id"]
    entra.create_group("Outer", inner)

    entra.send("DELETE", f"/Groups/{inner}", status=204)

    assert groups_of(entra, mira) == {}


# No change


@pytest.mark.parametrize("verb", ["add", "replace", "remove"])
def test_members_that_are_as_wanted_change_nothing(installation: Installation, entra: Client, verb: str) -> None:
    mira, tove = people(entra, 2)
    group = entra.create_group("Welders", mira)["id"]
    before = entra.send("GET", f"/Groups/{group}", status=200)
    rows = installation.rows(members)

    named = tove if verb == "remove" else mira
    entra.patch(f"/Groups/{group}", [{"op": verb, "path": "members", "value": [{"value": named}]}], status=204)

    assert entra.send("GET", f"/Groups/{group}", status=200) == before
    assert installation.rows(members) == rows
