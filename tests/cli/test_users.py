"""Users on the command line, as a provisioning client left them."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from scim_server.cli.context import Context
from scim_server.cli.output import Exit
from scim_server.factory import create_app
from scim_server.services import Services
from scim_server.settings import Settings
from tests.cli.conftest import Run


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    """An HTTP client with a token, beside the command line over the same database."""
    context = Context(settings)
    _, token = context.tokens.create(context.tenant_id("default"), "entra-push", "test")
    context.close()
    app = create_app(settings)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    yield client
    services: Services = app.extensions["scim-server"]
    services.database.close()


def create(client: FlaskClient, username: str, **attributes: object) -> str:
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": username, **attributes}
    answer = client.post("/scim/v2/Users", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    user_id: str = answer.json["id"]
    return user_id


def test_users_are_listed_filtered_and_counted(scim_server: Run, client: FlaskClient) -> None:
    create(client, "mira@example.com", displayName="Mira", active=True)
    create(client, "noor@example.com", displayName="Noor", active=False)
    listed = scim_server("users", "list", "--sort-by", "userName", "--json").json
    assert listed["total"] == 2
    assert [user["userName"] for user in listed["users"]] == ["mira@example.com", "noor@example.com"]
    inactive = scim_server("users", "list", "--filter", "active eq false").out
    assert "noor@example.com" in inactive
    assert "mira@example.com" not in inactive
    assert "1 of 2" in scim_server("users", "list", "--limit", "1").err


def test_a_user_is_shown_with_groups_and_sources(scim_server: Run, client: FlaskClient) -> None:
    user_id = create(client, "mira@example.com", externalId="e-1")
    client.post("/scim/v2/Groups", json={"displayName": "Quality", "members": [{"value": user_id}]})
    shown = scim_server("users", "show", "MIRA@example.com", "--json").json
    assert shown["user"]["id"] == user_id
    assert [group["display"] for group in shown["groups"]] == ["Quality"]
    assert [source["source"] for source in shown["sources"]] == ["entra-push"]
    assert shown == scim_server("users", "show", user_id, "--json").json
    assert "Quality" in scim_server("users", "show", user_id).out


def test_a_user_that_is_not_there_is_an_error(scim_server: Run) -> None:
    assert scim_server("users", "show", 'nobody" or active pr').code == Exit.FAILED
    assert scim_server("users", "list").out == "There is no such user.\n"


def test_a_filter_that_does_not_parse_is_explained(scim_server: Run) -> None:
    outcome = scim_server("users", "list", "--filter", "userName equals x")
    assert outcome.code == Exit.FAILED
    assert "equals" in outcome.err


def test_a_schema_with_values_stays_until_they_are_gone(
    scim_server: Run, client: FlaskClient, tmp_path: object
) -> None:
    urn = "urn:example:scim:schemas:extension:Badge:1.0:User"
    with open(f"{tmp_path}/badge.json", "w") as file:
        file.write(f'{{"id": "{urn}", "name": "Badge", "attributes": [{{"name": "badgeNumber", "type": "string"}}]}}')
    assert scim_server("schema", "add", f"{tmp_path}/badge.json").code == Exit.DONE
    user_id = create(client, "mira@example.com", **{urn: {"badgeNumber": "7"}})
    assert scim_server("schema", "remove", urn).code == Exit.BLOCKED
    client.patch(f"/scim/v2/Users/{user_id}", json={"Operations": [{"op": "remove", "path": f"{urn}:badgeNumber"}]})
    assert scim_server("schema", "remove", urn).code == Exit.DONE


def test_a_source_that_users_come_from_stays(scim_server: Run, client: FlaskClient) -> None:
    create(client, "mira@example.com")
    removal = scim_server("source", "remove", "entra-push")
    assert removal.code == Exit.BLOCKED
    assert "revoke its tokens" in removal.err
