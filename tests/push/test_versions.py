"""Versions: entity tags, and requests that depend on them (RFC 7644 section 3.14)."""

import pytest

from tests.push.installation import GROUP, Client, Installation

MIRA = "mira@fabrikam.test"


def tag(client: Client, path: str) -> str:
    answer = client.ask("GET", path)
    assert answer.status_code == 200
    assert answer.json["meta"]["version"] == answer.headers["ETag"]
    return answer.headers["ETag"]


@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
def test_each_change_gives_another_entity_tag(entra: Client, endpoint: str) -> None:
    name = {"userName": MIRA} if endpoint == "Users" else {"displayName": "Welders"}
    created = entra.ask("POST", f"/{endpoint}", name)
    path = f"/{endpoint}/{created.json['id']}"
    tags = [created.headers["ETag"]]
    assert tag(entra, path) == tags[0]

    for number in range(3):
        entra.ask("PATCH", f"{path}?attributes=id", _renamed(f"Name {number}"))
        tags.append(tag(entra, path))

    assert len(set(tags)) == len(tags)


def _renamed(name: str) -> dict[str, object]:
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": name}],
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
def test_a_change_on_top_of_an_old_version_is_refused(entra: Client, endpoint: str, method: str) -> None:
    name = {"userName": MIRA} if endpoint == "Users" else {"schemas": [GROUP], "displayName": "Welders"}
    path = f"/{endpoint}/{entra.send('POST', f'/{endpoint}', name, status=201)['id']}"
    old = tag(entra, path)
    entra.ask("PATCH", path, _renamed("Somebody else's"))
    before = entra.send("GET", path, status=200)
    body = {"PUT": {**name, "displayName": "Mine"}, "PATCH": _renamed("Mine"), "DELETE": None}[method]

    refused = entra.send(method, path, body, status=412, if_match=old)

    assert refused["detail"]
    assert entra.send("GET", path, status=200) == before
    assert entra.ask(method, path, body, if_match=tag(entra, path)).status_code in (200, 204)


@pytest.mark.parametrize("header", ["*", 'W/"7", W/"1"', '"1"'])
def test_a_change_on_top_of_a_named_version_is_made(entra: Client, header: str) -> None:
    mira = entra.create(userName=MIRA)["id"]

    entra.send("PATCH", f"/Users/{mira}", _renamed("Mira"), status=200, if_match=header)


def test_the_entity_tag_of_a_group_member_can_be_written_against(entra: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]
    entra.create_group("Welders", mira)

    entra.send("PATCH", f"/Users/{mira}", _renamed("Mira"), status=200, if_match=tag(entra, f"/Users/{mira}"))


@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
def test_an_unchanged_resource_is_not_sent_again(entra: Client, endpoint: str) -> None:
    name = {"userName": MIRA} if endpoint == "Users" else {"displayName": "Welders"}
    path = f"/{endpoint}/{entra.send('POST', f'/{endpoint}', name, status=201)['id']}"
    known = tag(entra, path)

    unchanged = entra.ask("GET", path, if_none_match=known)
    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", known)

    entra.ask("PATCH", path, _renamed("Another"))
    assert entra.ask("GET", path, if_none_match=known).status_code == 200


def test_a_user_whose_groups_change_is_sent_again(entra: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]
    path = f"/Users/{mira}"
    tags = [tag(entra, path)]
    group = entra.create_group("Welders", mira)["id"]

    for request in (
        lambda: None,
        lambda: entra.patch(
            f"/Groups/{group}", [{"op": "replace", "path": "displayName", "value": "Fitters"}], status=204
        ),
        lambda: entra.create_group("Outer", group),
        lambda: entra.patch(f"/Groups/{group}", [{"op": "remove", "path": "members"}], status=204),
    ):
        request()
        assert entra.ask("GET", path, if_none_match=tags[-1]).status_code == 200
        tags.append(tag(entra, path))

    assert tags[-1] == tags[0]
    assert len(set(tags)) == 4


def test_a_group_whose_member_is_deleted_is_sent_again(entra: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]
    group = entra.create_group("Welders", mira)["id"]
    known = tag(entra, f"/Groups/{group}")

    entra.remove(mira)

    assert entra.ask("GET", f"/Groups/{group}", if_none_match=known).status_code == 200


def test_versions_hold_within_a_bulk_request(entra: Client) -> None:
    mira = entra.create(userName=MIRA)["id"]
    old = tag(entra, f"/Users/{mira}")
    entra.change(mira, title="Welder")

    def bulk(version: str, name: str) -> dict[str, object]:
        operation = {"method": "PATCH", "path": f"/Users/{mira}", "version": version, "data": _renamed(name)}
        message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}
        (outcome,) = entra.send("POST", "/Bulk", message, status=200)["Operations"]
        return outcome

    assert bulk(old, "Mine")["status"] == "412"
    assert "displayName" not in entra.read(mira)
    done = bulk(tag(entra, f"/Users/{mira}"), "Mira")
    assert (done["status"], done["version"]) == ("200", tag(entra, f"/Users/{mira}"))


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_that_changes_nothing_keeps_version_and_time(
    installation: Installation, entra: Client, method: str
) -> None:
    mira = entra.create(userName=MIRA, displayName="Mira", emails=[{"value": MIRA, "type": "work"}])
    body = (
        _renamed("Mira") if method == "PATCH" else {"userName": MIRA, "displayName": "Mira", "emails": mira["emails"]}
    )

    assert entra.send(method, f"/Users/{mira['id']}", body, status=200) == mira
    assert entra.read(mira["id"]) == mira
