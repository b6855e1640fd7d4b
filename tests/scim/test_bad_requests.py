"""Bad requests: wrong addresses, methods, media types, pages, versions, tokens and bulk messages are refused kindly."""

from typing import Any

import orjson
import pytest

from scim_server.domain.clients import Scope
from tests.scim.house import BULK, GROUP, SEARCH, USER, House, brief, patch, refusal
from tests.scim.server import ScimClient, Server


@pytest.mark.parametrize("order", ["sortBy=password", "sortBy=nothing", "sortBy=emails[", "sortBy=name", "sortBy=%00"])
def test_sorting_by_what_cannot_be_sorted_is_refused(house: House, order: str) -> None:
    house.refuses("GET", f"/Users?{order}", status=400)


@pytest.mark.parametrize("paging", ["startIndex=one", "count=many", "count=1.5", "count=0x10", "cursor=made-up"])
def test_paging_by_what_is_no_number_or_cursor_is_refused(house: House, paging: str) -> None:
    house.refuses("GET", f"/Users?{paging}", status=400)


@pytest.mark.parametrize(
    "paging",
    [
        "startIndex=-99999999999",
        "startIndex=9223372036854775807",
        "startIndex=9223372036854775808",
        "startIndex=99999999999999999999",
        "startIndex=18446744073709551616&count=9223372036854775808",
        "count=-99999999999",
        "count=9223372036854775807",
        "count=99999999999999999999",
        "count=" + "9" * 5_000,
    ],
    ids=brief,
)
def test_negative_and_huge_paging_values_never_fail(house: House, paging: str) -> None:
    answer = house.client.request("GET", f"/Users?{paging}")

    if answer.status_code != 200:
        refusal(answer, 400)
    else:
        body = orjson.loads(answer.data)
        assert body["totalResults"] == 1
        assert body["itemsPerPage"] == len(body.get("Resources", [])) <= 1


def test_a_password_is_never_shown_whatever_is_asked_for(house: House) -> None:
    answer = house.client.request(
        "POST", "/Users?attributes=userName,password", {"schemas": [USER], "userName": "jon", "password": "s3cret!"}
    )
    made = orjson.loads(answer.data)["id"]
    shown = [
        house.client.request("GET", f"/Users/{made}?attributes=password"),
        house.client.request("GET", "/Users?attributes=password,userName"),
        house.client.request("PATCH", f"/Users/{made}", patch([{"op": "add", "path": "password", "value": "s3cret!"}])),
    ]

    assert all(b"s3cret" not in each.data and b'"password"' not in each.data for each in [answer, *shown])
    assert house.client.request("DELETE", f"/Users/{made}").status_code == 204


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"]
)
@pytest.mark.parametrize("request_line", ["POST /Users", "PUT /Users/{user}", "PATCH /Users/{user}", "POST /Bulk"])
def test_another_media_type_is_refused(house: House, request_line: str, media_type: str) -> None:
    method, path = request_line.format(user=house.user).split()
    body = orjson.dumps({"schemas": [USER], "userName": "jon"})

    house.refuses(method, path, data=body, headers={"Content-Type": media_type}, status=415)


@pytest.mark.parametrize(
    "request_line",
    [
        "DELETE /Users",
        "PATCH /Users",
        "PUT /Groups",
        "POST /Users/{user}",
        "POST /Schemas",
        "DELETE /ServiceProviderConfig",
        "GET /Bulk",
        "GET /.search",
        "TRACE /Users/{user}",
        "BREW /Users/{user}",
    ],
)
def test_another_method_is_refused_with_those_that_are_allowed(house: House, request_line: str) -> None:
    method, path = request_line.format(user=house.user).split()
    answer = house.client.request(method, path)

    refusal(answer, 405)
    assert method not in answer.headers["Allow"].split(", ")


STRANGE_IDS = [
    "5171a35d-82d4-4e0a-9d3b-1f2f3a4b5c6d",
    "0",
    "null",
    "%00",
    "%2e%2e",
    "%2e%2e%2fGroups",
    "a%0d%0aSet-Cookie:%20evil=1",
    "%ff%fe",
    "%F0%9F%92%A9",
    "x' or '1'='1",
    '"',
    "%25",
    "a" * 10_000,
    "{id}",
    "-1",
    "None",
]


@pytest.mark.parametrize("strange", STRANGE_IDS, ids=brief)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/Users", "/Groups"])
def test_an_id_that_nobody_has_is_not_found(house: House, path: str, method: str, strange: str) -> None:
    bodies = {"PUT": {"schemas": [USER], "userName": "jon", "displayName": "Jon"}, "PATCH": patch([])}
    answer = house.client.request(method, f"{path}/{strange}", bodies.get(method))

    refusal(answer, 404)
    assert "Set-Cookie" not in answer.headers


def test_an_id_of_the_other_type_is_not_found(house: House) -> None:
    house.refuses("GET", f"/Groups/{house.user}", status=404)
    house.refuses("DELETE", f"/Users/{house.group}", status=404)


@pytest.mark.parametrize("path", ["/User", "/Users/x/y", "/Schemas/nothing", "/ResourceTypes/Printer", "/v2/Users"])
def test_an_address_without_anything_is_not_found(house: House, path: str) -> None:
    house.refuses("GET", path, status=404)


def test_line_breaks_in_values_reach_no_header(house: House) -> None:
    evil = "x\r\nSet-Cookie: evil=1"
    house.refuses("POST", "/Users", {"schemas": [USER], "userName": evil}, status=400)
    answer = house.client.request("POST", "/Groups", {"schemas": [GROUP], "displayName": "Line 5", "externalId": evil})

    assert answer.status_code in (201, 400)
    assert "Set-Cookie" not in answer.headers
    if answer.status_code == 201:
        house.client.request("DELETE", f"/Groups/{orjson.loads(answer.data)['id']}")


def test_a_bulk_id_that_nobody_defines_fails_its_operation_alone(scim: ScimClient) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER], "userName": "anna"}},
        {
            "method": "POST",
            "path": "/Groups",
            "bulkId": "b",
            "data": {"schemas": [GROUP], "displayName": "Line 4", "members": [{"value": "bulkId:nobody"}]},
        },
        {"method": "DELETE", "path": "/Users/bulkId:nobody"},
    ]
    answer = scim.request("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})

    assert answer.status_code == 200
    done = orjson.loads(answer.data)["Operations"]
    assert [each["status"][0] for each in done] == ["2", "4", "4"]
    assert "nobody" in done[1]["response"]["detail"]
    assert orjson.loads(scim.request("GET", "/Groups").data)["totalResults"] == 0


@pytest.mark.parametrize(
    "operations",
    [
        "x",
        [5],
        [{}],
        [{"method": "POST"}],
        [{"method": 5, "path": "/Users"}],
        [{"method": "POST", "path": 5, "bulkId": "a", "data": {}}],
        [{"method": "POST", "path": "/Users", "bulkId": 5, "data": {}}],
        [{"method": "POST", "path": "/Users", "bulkId": "a", "data": "text"}],
        [{"method": "POST", "path": "/Users", "data": {"userName": "x"}}],
        [{"method": "POST", "path": "/Printers", "bulkId": "a", "data": {}}],
        [{"method": "GET", "path": "/Users"}],
        [{"method": "PATCH", "path": "/Users/x", "data": {"Operations": 5}}],
        [{"method": "DELETE", "path": "../Users"}],
    ],
    ids=brief,
)
def test_malformed_bulk_operations_are_refused_whole_or_one_by_one(house: House, operations: Any) -> None:
    answer = house.client.request("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})

    if answer.status_code == 200:
        assert [each["status"][0] for each in orjson.loads(answer.data)["Operations"]] == ["4"]
    else:
        refusal(answer)


def test_more_bulk_operations_than_announced_are_refused(house: House) -> None:
    operation = {"method": "DELETE", "path": "/Users/nobody"}

    house.refuses("POST", "/Bulk", {"schemas": [BULK], "Operations": [operation] * 1_001}, status=413)


@pytest.mark.parametrize("version", ['W/"999"', '"nonsense"', "x" * 5_000, '"', "W/"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_version_that_is_not_the_current_one_is_refused(house: House, method: str, version: str) -> None:
    bodies = {
        "PUT": {"schemas": [USER], "userName": "mira@fabrikam.test", "title": "x"},
        "PATCH": patch([{"op": "add", "path": "title", "value": "x"}]),
    }

    house.refuses(method, f"/Users/{house.user}", bodies.get(method), headers={"If-Match": version}, status=412)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic bWlyYQ==", "Bearer x", "Bearer " + "y" * 5_000, "Bearer \u00fc", "Token z"],
)
def test_without_a_good_token_nothing_is_shown(house: House, header: str | None) -> None:
    for method, path in [("GET", "/Users"), ("GET", f"/Users/{house.user}"), ("DELETE", f"/Users/{house.user}")]:
        error = house.refuses(method, path, headers={"Authorization": header}, status=401)
        assert "mira" not in str(error)


def test_a_token_may_do_what_its_scopes_say(server: Server) -> None:
    writer = server.client()
    house = House(writer)
    reader, blind = server.client(scopes=(Scope.READ,)), server.client(scopes=(Scope.WRITE,))

    assert reader.request("GET", f"/Users/{house.user}").status_code == 200
    refusal(reader.request("DELETE", f"/Users/{house.user}"), 403)
    refusal(reader.request("POST", "/Users", {"schemas": [USER], "userName": "x"}), 403)
    refusal(reader.request("POST", "/Bulk", {"schemas": [BULK], "Operations": []}), 403)
    refusal(blind.request("GET", "/Users"), 403)
    assert reader.request("POST", "/Users/.search", {"schemas": [SEARCH]}).status_code == 200
