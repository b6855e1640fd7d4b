"""Groups with many members: changed without being read whole (Entra sends several members in one request)."""

import time
from typing import Any

import orjson
import pytest

from tests.scim.house import BULK, GROUP, QUICK, USER, patch
from tests.scim.server import ScimClient, Server

MEMBERS = 1_000  # in one request; the whole group is meant to hold 100,000


@pytest.fixture(scope="module")
def crowd(shared_server: Server) -> tuple[ScimClient, list[str]]:
    """A client and the ids of a thousand users."""
    client = shared_server.client()
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": f"u{n}", "data": {"schemas": [USER], "userName": f"user{n}"}}
        for n in range(MEMBERS)
    ]
    done = orjson.loads(client.request("POST", "/Bulk", {"schemas": [BULK], "Operations": operations}).data)
    return client, [each["location"].rpartition("/")[2] for each in done["Operations"]]


def test_a_thousand_members_come_and_go_in_one_request_each(crowd: tuple[ScimClient, list[str]]) -> None:
    client, ids = crowd
    members = [{"$ref": None, "value": id_} for id_ in ids]
    made = client.request("POST", "/Groups", {"schemas": [GROUP], "displayName": "Everybody"})
    path = f"/Groups/{orjson.loads(made.data)['id']}"

    def change(op: str, value: Any) -> None:
        started = time.process_time()
        answer = client.request("PATCH", path, patch([{"op": op, "path": "members", "value": value}]))
        assert answer.status_code == 204
        assert not answer.data
        assert time.process_time() - started < QUICK

    change("Add", members)
    assert set(members_of(client, path)) == set(ids)
    change("Add", members[:500])
    assert len(members_of(client, path)) == MEMBERS, "who is there is not added twice"
    change("Remove", members[1:])
    assert members_of(client, path) == ids[:1]
    change("replace", members[:10])
    assert set(members_of(client, path)) == set(ids[:10])


def members_of(client: ScimClient, path: str) -> list[str]:
    """The ids of the members as the group is read."""
    return [member["value"] for member in orjson.loads(client.request("GET", path).data)["members"]]
