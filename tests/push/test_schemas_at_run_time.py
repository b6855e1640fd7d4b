"""An extension schema added while the server runs behaves like the built-in ones."""

from typing import Any

import pytest

from scim_server.admin.errors import StillInUse
from tests.push.installation import USER, Client, Installation

BADGE = "urn:fabrikam:scim:schemas:badge:1.0:User"
DOCUMENT = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
    "id": BADGE,
    "name": "Badge",
    "description": "What a badge opens",
    "attributes": [
        {"name": "number", "type": "integer", "multiValued": False},
        {"name": "colour", "type": "string", "multiValued": False, "caseExact": False},
        {"name": "pin", "type": "string", "multiValued": False, "returned": "never", "mutability": "writeOnly"},
        {
            "name": "doors",
            "type": "complex",
            "multiValued": True,
            "subAttributes": [
                {"name": "value", "type": "string", "multiValued": False},
                {"name": "type", "type": "string", "multiValued": False},
            ],
        },
    ],
}


@pytest.fixture
def client(installation: Installation, entra: Client) -> Client:
    installation.schemas.add(installation.tenant, DOCUMENT, "User")
    return entra


def badge(**attributes: Any) -> dict[str, Any]:
    return {BADGE: attributes}


def test_the_schema_is_served(client: Client) -> None:
    served = client.send("GET", f"/Schemas/{BADGE}", status=200)

    assert [attribute["name"] for attribute in served["attributes"]] == ["number", "colour", "pin", "doors"]
    user = client.send("GET", "/ResourceTypes/User", status=200)
    assert {"schema": BADGE, "required": False} in user["schemaExtensions"]


def test_a_user_is_created_with_it(client: Client) -> None:
    mira = client.create(userName="mira", **badge(number=7, colour="Red", pin="0000", doors=[{"value": "D1"}]))

    assert mira["schemas"] == [USER, BADGE]
    assert mira[BADGE] == {"number": 7, "colour": "Red", "doors": [{"value": "D1"}]}
    assert client.read(mira["id"]) == mira


def test_its_values_are_validated(client: Client) -> None:
    refused = client.create(userName="mira", status=400, **badge(number="seven"))

    assert refused["scimType"] == "invalidValue"
    assert "number" in refused["detail"]


def test_users_are_found_by_it(client: Client) -> None:
    mira = client.create(userName="mira", **badge(number=7, colour="Red", doors=[{"value": "D1", "type": "gate"}]))[
        "id"
    ]
    tove = client.create(userName="tove", **badge(number=12, colour="blue"))["id"]
    client.create(userName="olga")

    def found(condition: str) -> list[str]:
        return [each["id"] for each in client.find(condition)]

    assert found(f'{BADGE}:colour eq "RED"') == [mira]
    assert found(f"{BADGE}:number gt 7") == [tove]
    assert found(f"{BADGE}:number pr") == [mira, tove]
    assert found(f'{BADGE}:doors[type eq "gate" and value sw "D"]') == [mira]
    client.send("GET", f'/Users?filter={BADGE}:pin eq "0000"', status=400)


def test_it_is_changed_by_path_and_by_value(client: Client) -> None:
    mira = client.create(userName="mira")["id"]

    changed = client.patch(
        f"/Users/{mira}",
        [
            {"op": "Add", "path": f"{BADGE}:number", "value": 7},
            {"op": "replace", "path": f'{BADGE}:doors[type eq "gate"].value', "value": "D1"},
            {"op": "replace", "value": {f"{BADGE}:colour": "Red"}},
        ],
    )
    assert changed[BADGE] == {"number": 7, "colour": "Red", "doors": [{"type": "gate", "value": "D1"}]}

    changed = client.patch(f"/Users/{mira}", [{"op": "remove", "path": BADGE}])
    assert BADGE not in changed
    assert changed["schemas"] == [USER]
    assert client.find(f"{BADGE}:number pr") == []


def test_it_is_projected_and_sorted_by(client: Client) -> None:
    client.create(userName="mira", **badge(number=12, colour="Red"))
    client.create(userName="tove", **badge(number=7, colour="blue"))
    path = f"/Users?sortBy={BADGE}:number&attributes={BADGE}:colour"

    colours = [user[BADGE] for user in client.send("GET", path, status=200)["Resources"]]

    assert colours == [{"colour": "blue"}, {"colour": "Red"}]
    (user,) = client.send("GET", f'/Users?filter=userName eq "mira"&excludedAttributes={BADGE}:colour', status=200)[
        "Resources"
    ]
    assert user[BADGE] == {"number": 12}


def test_it_goes_when_nobody_uses_it_any_more(installation: Installation, client: Client) -> None:
    mira = client.create(userName="mira", **badge(number=7))["id"]
    with pytest.raises(StillInUse):
        installation.schemas.remove(installation.tenant, BADGE)

    client.patch(f"/Users/{mira}", [{"op": "remove", "path": BADGE}])
    installation.schemas.remove(installation.tenant, BADGE)
    for _ in range(5):
        installation.clock.now()

    client.send("GET", f"/Schemas/{BADGE}", status=404)
    client.send("GET", f"/Users?filter={BADGE}:number pr", status=400)
    assert client.read(mira)["schemas"] == [USER]
    assert BADGE not in client.create(userName="tove", **badge(number=7))


def test_another_tenant_has_none_of_it(installation: Installation, client: Client) -> None:
    other = installation.tenants.create("other")
    _, token = installation.tokens.create(other.id, "entra-push", "other")
    stranger = Client(installation.app, token)

    stranger.send("GET", f"/Schemas/{BADGE}", status=404)
