"""/Me stands for the user a token is bound to (RFC 7644 section 3.11)."""

import pytest

from scim_server.admin.errors import NotThere
from scim_server.admin.tenants import PUSH_SOURCE
from tests.scim.server import ScimClient, Server

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def me(server: Server) -> ScimClient:
    """A client whose token is bound to the user ``mira``."""
    user = server.client().request("POST", "/Users", {"userName": "mira", "title": "Buyer"}).json["id"]
    tenant = server.tenants.get("default").id
    _, text = server.tokens.create(tenant, PUSH_SOURCE, "mira's own", user_id=user)
    return ScimClient(server.app, text)


def test_me_is_the_bound_user_under_its_own_address(me: ScimClient) -> None:
    answer = me.request("GET", "/Me")

    assert (answer.status_code, answer.json["userName"]) == (200, "mira")
    assert answer.json["meta"]["location"].endswith(f"/Users/{answer.json['id']}")
    assert answer.headers["ETag"] == answer.json["meta"]["version"]


def test_me_can_be_changed_replaced_and_deleted(me: ScimClient) -> None:
    change = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "Planner"}]}
    assert me.request("PATCH", "/Me", change).json["title"] == "Planner"
    assert "title" not in me.request("PUT", "/Me", {"userName": "mira"}).json
    assert me.request("DELETE", "/Me").status_code == 204
    assert me.request("GET", "/Me").status_code == 404


def test_nobody_registers_through_me(me: ScimClient) -> None:
    answer = me.request("POST", "/Me", {"userName": "other"})

    assert answer.status_code == 501
    assert "POST /Users" in answer.json["detail"]


def test_a_token_of_a_client_has_no_me_and_says_what_to_do(server: Server) -> None:
    answer = server.client().request("GET", "/Me")

    assert answer.status_code == 501
    assert "Bind a token to a user" in answer.json["detail"]


def test_a_token_cannot_be_bound_to_somebody_who_is_not_there(server: Server) -> None:
    tenant = server.tenants.get("default").id

    with pytest.raises(NotThere):
        server.tokens.create(tenant, PUSH_SOURCE, "nobody's", user_id="0f4b7f51-0000-4000-8000-000000000000")
