"""The change log: who changed what and when, with both values, in the transaction of the change itself."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from scim_server.reconciler import door, membership
from scim_server.store.tables import identities
from scim_server.store.tables.identities import changes, duplicates, links, members, resources
from tests.push.installation import PATCH_OP, Client, Installation

MIRA = "mira@fabrikam.test"
TABLES = (
    identities.resources, identities.attribute_values, identities.claims, identities.members, identities.counts,
    identities.links, identities.anchors, identities.changes,
)  # fmt: skip


def everything(installation: Installation) -> dict[str, list[Mapping[str, Any]]]:
    return {table.name: installation.rows(table) for table in TABLES}


def last(installation: Installation) -> dict[str, Any]:
    row = dict(installation.rows(changes)[-1])
    return {**row, "before": orjson.loads(row["before"]), "after": orjson.loads(row["after"])}


def test_each_change_of_a_user_is_logged_with_both_values(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA, title="Welder", name={"givenName": "Mira"})["id"]
    created = last(installation)
    assert (created["action"], created["before"]) == ("created", {})
    assert created["after"] == {"userName": MIRA, "title": "Welder", "name.givenName": "Mira", "active": True}

    entra.change(mira, title="Foreman", nickName="Mi", name={"givenName": "Mirabel"})
    modified = last(installation)
    assert modified["action"] == "modified"
    assert modified["before"] == {"title": "Welder", "name.givenName": "Mira"}
    assert modified["after"] == {"title": "Foreman", "nickName": "Mi", "name.givenName": "Mirabel"}

    entra.change(mira, active=False)
    assert (last(installation)["action"], last(installation)["after"]) == ("deactivated", {"active": False})
    entra.change(mira, active=True)
    assert (last(installation)["action"], last(installation)["after"]) == ("reactivated", {"active": True})

    entra.remove(mira)
    deleted = last(installation)
    assert (deleted["action"], deleted["before"]["userName"], deleted["after"]) == ("deleted", MIRA, {})


def test_an_entry_says_who_and_by_which_request(installation: Installation, entra: Client) -> None:
    answer = entra.ask("POST", "/Users", {"userName": MIRA})

    entry = last(installation)
    (link,) = installation.rows(links)
    assert (entry["channel"], entry["type"], entry["resource_id"]) == ("push", "User", answer.json["id"])
    assert entry["actor"] == "client-1"
    assert entry["request_id"] == answer.headers["X-Request-Id"]
    assert entry["source_id"] == link["source_id"]
    assert entry["at"] == answer.json["meta"]["lastModified"]


def test_both_halves_of_a_swap_are_logged(installation: Installation, entra: Client) -> None:
    mira, tove = entra.create(userName="mira")["id"], entra.create(userName="tove")["id"]
    entra.change(mira, status=409, userName="tove")
    answer = entra.ask(
        "PATCH",
        f"/Users/{tove}",
        {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "userName", "value": "mira"}]},
    )

    swapped = [row for row in installation.rows(changes) if row["request_id"] == answer.headers["X-Request-Id"]]
    assert {(row["resource_id"], row["before"], row["after"]) for row in swapped} == {
        (mira, '{"userName":"mira"}', '{"userName":"tove"}'),
        (tove, '{"userName":"tove"}', '{"userName":"mira"}'),
    }


def test_member_changes_are_logged_with_the_members(installation: Installation, entra: Client) -> None:
    mira, tove = entra.create(userName="mira")["id"], entra.create(userName="tove")["id"]
    group = entra.create_group("Welders", mira)["id"]
    path = f"/Groups/{group}"

    entra.patch(path, [{"op": "add", "path": "members", "value": [{"value": tove}]}], status=204)
    assert (last(installation)["action"], last(installation)["resource_id"]) == ("members", group)
    assert tove in str(last(installation)["after"])
    assert mira not in str(last(installation)["after"])
    entra.patch(path, [{"op": "remove", "path": "members", "value": [{"value": tove}]}], status=204)
    assert "remove" in str(last(installation)["after"])
    assert tove in str(last(installation)["after"])


def test_a_password_is_nowhere(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA, password="correct horse")["id"]
    entra.change(mira, password="battery staple", title="Welder")

    stored = str(everything(installation))
    assert "correct horse" not in stored
    assert "battery staple" not in stored


def test_one_bad_operation_of_many_changes_nothing(installation: Installation, entra: Client) -> None:
    mira = entra.create(userName=MIRA, emails=[{"value": MIRA, "type": "work"}])["id"]
    group = entra.create_group("Welders", mira)["id"]
    before = everything(installation)
    good = [{"op": "replace", "path": "displayName", "value": f"Name {number}"} for number in range(5)]

    entra.patch(f"/Users/{mira}", [*good, {"op": "replace", "path": "shoeSize", "value": 42}], status=400)
    entra.patch(f"/Users/{mira}", [*good, {"op": "replace", "path": "active", "value": "maybe"}], status=400)
    entra.patch(
        f"/Users/{mira}", [{"op": "remove", "path": "emails"}, {"op": "remove", "path": "userName"}], status=400
    )
    entra.patch(
        f"/Groups/{group}",
        [{"op": "remove", "path": "members"}, *good, {"op": "add", "path": "members", "value": [{"value": "nobody"}]}],
        status=400,
    )

    assert everything(installation) == before


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("endpoint", ["Users", "Groups"])
def test_a_change_that_changes_nothing_writes_nothing(
    installation: Installation, entra: Client, endpoint: str, method: str
) -> None:
    mira = entra.create(userName=MIRA, title="Welder", emails=[{"value": MIRA, "type": "work", "primary": True}])
    group = entra.create_group("Welders", mira["id"], externalId="g-1")
    resource = mira if endpoint == "Users" else group
    before = everything(installation)

    told = {name: value for name, value in resource.items() if name not in ("id", "meta", "schemas", "groups")}
    operations = [
        {"op": "replace", "value": told},
        {"op": "add", "value": told},
        {"op": "remove", "path": "externalId"},
    ]
    changing = operations[: 2 if endpoint == "Groups" else 3]
    body = told if method == "PUT" else {"schemas": [PATCH_OP], "Operations": changing}
    assert entra.ask(method, f"/{endpoint}/{resource['id']}", body).status_code in (200, 204)

    assert everything(installation) == before


def test_a_write_that_fails_leaves_neither_change_nor_entry(
    installation: Installation, entra: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    mira = entra.create(userName=MIRA)["id"]
    group = entra.create_group("Welders")["id"]
    before = everything(installation)

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(door, "write_changes", full)
    monkeypatch.setattr(membership, "write_change", full)
    broken = [
        entra.ask("POST", "/Users", {"userName": "tove"}),
        entra.ask("PATCH", f"/Users/{mira}", _replaced("title", "Welder")),
        entra.ask("PATCH", f"/Groups/{group}", _replaced("members", [{"value": mira}])),
    ]
    monkeypatch.undo()

    assert [answer.status_code for answer in broken] == [500, 500, 500]
    assert all("space" not in answer.text for answer in broken)
    assert everything(installation) == before
    assert installation.rows(duplicates) == []
    entra.change(mira, title="Welder")
    assert len(installation.rows(members)) == 0
    assert len(installation.rows(resources)) == 2


def _replaced(path: str, value: object) -> dict[str, object]:
    return {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": path, "value": value}]}
