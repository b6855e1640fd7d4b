"""Tenants: a token shows and changes what belongs to its own tenant and nothing else."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.scim.house import BULK, GROUP, SEARCH, USER, House, patch, refusal
from tests.scim.server import ScimClient, Server


class Neighbours:
    """Two tenants of one server: the house of one, and a client of the other, who knows every id in it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.house = House(server.client())
        server.tenants.create("neighbour")
        self.stranger: ScimClient = server.client(tenant="neighbour")


@pytest.fixture
def neighbours(server: Server) -> Iterator[Neighbours]:
    """Two tenants; whatever the stranger tried, the house is as it was."""
    neighbours = Neighbours(server)
    before = neighbours.house.everything()
    yield neighbours
    assert neighbours.house.everything() == before


def test_every_endpoint_that_takes_an_id_finds_nothing(neighbours: Neighbours) -> None:
    """The endpoints come from the application itself, so a new one cannot be forgotten."""
    house, stranger = neighbours.house, neighbours.stranger
    bodies = {"PUT": {"schemas": [USER], "userName": "taken", "displayName": "Over"}, "PATCH": patch([])}
    tried = 0
    for rule in neighbours.server.app.url_map.iter_rules():
        if not rule.rule.startswith("/scim/v2/") or "resource_id" not in rule.arguments:
            continue
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            for id_ in (house.user, house.group):
                for kind in ("Users", "Groups"):
                    path = filled(rule.rule, kind, id_)
                    answer = stranger.request(method, path, bodies.get(method))
                    refusal(answer, 404)
                    tried += 1

    assert tried >= 16


def filled(rule: str, kind: str, id_: str) -> str:
    """The path of a rule: parameters that name the resource type or, else, the id."""
    steps = []
    for step in rule.removeprefix("/scim/v2").split("/"):
        inside = step.strip("<>").rpartition(":")[2]
        steps.append(step if "<" not in step else kind if "endpoint" in inside or "type" in inside else id_)
    return "/".join(steps)


@pytest.mark.parametrize(
    "query",
    [
        "/Users",
        "/Groups",
        '/Users?filter=userName eq "mira@fabrikam.test"',
        '/Users?filter=id eq "{user}"',
        '/Users?filter=not (userName eq "x")',
        '/Users?filter=groups.value eq "{group}"',
        '/Groups?filter=members eq "{user}"',
        '/Groups?filter=members[value eq "{user}"]',
        '/Groups?filter=displayName ne "x"&sortBy=displayName',
        "/Users?sortBy=userName&count=10&cursor",
    ],
)
def test_every_query_is_empty(neighbours: Neighbours, query: str) -> None:
    house = neighbours.house
    answer = neighbours.stranger.request("GET", query.replace("{user}", house.user).replace("{group}", house.group))

    assert answer.status_code == 200
    assert orjson.loads(answer.data).get("Resources", []) == []
    assert orjson.loads(answer.data).get("totalResults", 0) == 0


@pytest.mark.parametrize("path", ["/.search", "/Users/.search", "/Groups/.search"])
def test_every_search_is_empty(neighbours: Neighbours, path: str) -> None:
    answer = neighbours.stranger.request("POST", path, {"schemas": [SEARCH], "filter": "id pr"})

    assert answer.status_code == 200
    assert orjson.loads(answer.data)["totalResults"] == 0


def test_a_name_taken_next_door_is_free_here(neighbours: Neighbours) -> None:
    for path, body in [
        ("/Users", {"schemas": [USER], "userName": "mira@fabrikam.test"}),
        ("/Groups", {"schemas": [GROUP], "displayName": "Plant Quality"}),
    ]:
        answer = neighbours.stranger.request("POST", path, body)
        assert answer.status_code == 201


def test_a_resource_next_door_becomes_no_member_here(neighbours: Neighbours) -> None:
    house, stranger = neighbours.house, neighbours.stranger
    answer = stranger.request(
        "POST", "/Groups", {"schemas": [GROUP], "displayName": "Spies", "members": [{"value": house.user}]}
    )
    if answer.status_code == 201:
        read = stranger.request("GET", f"/Groups/{orjson.loads(answer.data)['id']}")
        assert "Mira" not in read.text
        assert all(member.get("display") is None for member in orjson.loads(read.data).get("members", []))
    else:
        refusal(answer)
    assert "Spies" not in house.client.request("GET", f"/Users/{house.user}").text


def test_bulk_reaches_nothing_next_door(neighbours: Neighbours) -> None:
    house = neighbours.house
    operations: list[dict[str, Any]] = [
        {"method": "DELETE", "path": f"/Users/{house.user}"},
        {"method": "PATCH", "path": f"/Groups/{house.group}", "data": patch([{"op": "remove", "path": "members"}])},
        {"method": "PUT", "path": f"/Users/{house.user}", "data": {"schemas": [USER], "userName": "taken"}},
    ]
    answer = neighbours.stranger.request("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})

    assert answer.status_code == 200
    assert [each["status"] for each in orjson.loads(answer.data)["Operations"]] == ["404", "404", "404"]


def test_a_cursor_of_one_tenant_opens_nothing_for_another(neighbours: Neighbours) -> None:
    house = neighbours.house
    house.client.request("POST", "/Users", {"schemas": [USER], "userName": "jon"})
    page = orjson.loads(house.client.request("GET", "/Users?count=1&cursor=").data)

    refusal(neighbours.stranger.request("GET", f"/Users?count=1&cursor={page['nextCursor']}"), 400)
    made = orjson.loads(house.client.request("GET", '/Users?filter=userName eq "jon"').data)["Resources"][0]["id"]
    house.client.request("DELETE", f"/Users/{made}")
