"""Bad input: refused in SCIM's words, quickly, without a trace in the store, and the server goes on."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from werkzeug.test import TestResponse

from scim_server.domain.clients import Scope
from tests.scim.conftest import ScimClient, Server

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"

QUICK = 1.0
"""Seconds of processor time that no refusal may take; most take a thousandth."""


class House:
    """A client, a user and a group that must come out of every test as they went in."""

    def __init__(self, client: ScimClient) -> None:
        self.client = client
        self.user = self._made("/Users", {"schemas": [USER], "userName": "mira@fabrikam.test", "displayName": "Mira"})
        self.group = self._made(
            "/Groups", {"schemas": [GROUP], "displayName": "Plant Quality", "members": [{"value": self.user}]}
        )

    def _made(self, path: str, body: dict[str, Any]) -> str:
        answer = self.client.request("POST", path, body)
        assert answer.status_code == 201, answer.text
        made: str = orjson.loads(answer.data)["id"]
        return made

    def everything(self) -> list[Any]:
        """All resources as they are read."""
        answers = [self.client.request("GET", path) for path in ("/Users?count=1000", "/Groups?count=1000")]
        assert [answer.status_code for answer in answers] == [200, 200]
        return [orjson.loads(answer.data) for answer in answers]

    def refuses(
        self, method: str, path: str, json: Any = None, *, status: int | None = None, **sent: Any
    ) -> dict[str, Any]:
        """The error with which a request is refused: SCIM's form and media type, and no time lost."""
        started = time.process_time()
        answer = self.client.request(method, path, json, **sent)
        spent = time.process_time() - started
        assert spent < QUICK
        return refusal(answer, status)


def refusal(answer: TestResponse, status: int | None = None) -> dict[str, Any]:
    """The SCIM error of a 4xx answer (RFC 7644 section 3.12)."""
    assert 400 <= answer.status_code < 500, f"{answer.status_code} {answer.text[:500]}"
    assert status is None or answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.mimetype == "application/scim+json"
    error: dict[str, Any] = orjson.loads(answer.data)
    assert error["schemas"] == [ERROR]
    assert error["status"] == str(answer.status_code)
    assert error["detail"]
    assert len(answer.data) < 2000, "an error does not send the input back"
    return error


@pytest.fixture
def house(scim: ScimClient) -> Iterator[House]:
    """The house; whatever was refused has changed nothing in it."""
    house = House(scim)
    before = house.everything()
    yield house
    assert house.everything() == before


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


BROKEN_BODIES = {
    "nothing at all": b"",
    "half an object": b'{"userName": "x"',
    "a trailing comma": b'{"userName": "x",}',
    "two documents": b'{"userName": "x"}{"userName": "y"}',
    "form data": b"userName=x&active=true",
    "bad UTF-8": b'{"userName": "\xff\xfe"}',
    "half a surrogate pair": b'{"userName": "\\ud800x"}',
    "half a surrogate pair as a key": b'{"userName": "x", "\\udfff": 1}',
    "a NUL in a value": b'{"userName": "a\\u0000b"}',
    "a NUL deep down": b'{"userName": "x", "name": {"givenName": "a\\u0000b"}}',
    "a NUL in a key": b'{"userName": "x", "display\\u0000Name": "y"}',
    "not a number": b'{"userName": "x", "active": NaN}',
    "infinity": b'{"userName": "x", "active": Infinity}',
    "a hundred levels": b'{"userName": "x", "emails": ' + orjson.dumps(nested(100)) + b"}",
    "a hundred thousand levels": b"[" * 100_000,
    "a hundred thousand objects in each other": b'{"a":' * 100_000,
    "UTF-16": '{"userName": "x"}'.encode("utf-16"),
}


@pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
@pytest.mark.parametrize("request_line", ["POST /Users", "PUT /Users/{user}", "PATCH /Users/{user}", "POST /Bulk"])
def test_a_body_that_is_no_json_is_refused(house: House, request_line: str, body: bytes) -> None:
    method, path = request_line.format(user=house.user).split()

    house.refuses(method, path, data=body, status=400)


@pytest.mark.parametrize("value", [[], [{}], "text", 12, None, True, [[]]], ids=repr)
@pytest.mark.parametrize(
    "request_line",
    ["POST /Users", "POST /Groups", "PUT /Users/{user}", "PATCH /Groups/{group}", "POST /Bulk", "POST /.search"],
)
def test_json_that_is_no_object_is_refused(house: House, request_line: str, value: Any) -> None:
    method, path = request_line.format(user=house.user, group=house.group).split()

    house.refuses(method, path, data=orjson.dumps(value), status=400)


WRONG_TYPES: list[dict[str, Any]] = [
    {"userName": 5},
    {"userName": ["jon@fabrikam.test"]},
    {"userName": {"value": "jon@fabrikam.test"}},
    {"userName": True},
    {"userName": ""},
    {"userName": "   "},
    {"userName": None},
    {"userName": "a\u0007b"},
    {"externalId": {"a": 1}},
    {"externalId": 7},
    {"active": "maybe"},
    {"active": 1},
    {"active": [True, False]},
    {"active": {}, "displayName": {}, "name": 1},
    {"displayName": 1.5},
    {"name": "Mira"},
    {"name": [{"givenName": "Mira"}, {"givenName": "Anna"}]},
    {"name": {"givenName": 5}},
    {"name": {"givenName": {"a": {"b": []}}}},
    {"emails": 5},
    {"emails": [5]},
    {"emails": [True]},
    {"emails": [[{"value": "m@fabrikam.test"}]]},
    {"emails": [{"value": 5}]},
    {"emails": [{"value": {"value": "m@fabrikam.test"}}]},
    {"emails": [{"value": "m@fabrikam.test", "primary": "maybe"}]},
    {"emails": [{"value": "a@x.test", "primary": True}, {"value": "b@x.test", "primary": True}]},
    {"emails": {"work": {"value": ["m@fabrikam.test"]}, "value": []}, "title": 9},
    {"x509Certificates": [{"value": "not base64!"}]},
    {"addresses": [{"locality": 12}]},
    {"schemas": USER},
    {"schemas": {"0": USER}},
    {"schemas": [5]},
    {"schemas": [[USER]]},
    {ENTERPRISE: "text"},
    {ENTERPRISE: [{"department": 1}]},
    {ENTERPRISE: {"department": {"a": 1}}},
    {ENTERPRISE: {"manager": 5}},
    {ENTERPRISE: {"manager": {"value": 5}}},
    {ENTERPRISE: {"manager": {"value": ["x"]}}},
    {ENTERPRISE: {"manager": [{"value": "a"}, {"value": "b"}]}},
    {"username": "jon@fabrikam.test", "USERNAME": "anna@fabrikam.test"},
    {"password": 5},
    {"displayName": "x" * 70_000},
    {"emails": [{"value": "no address at all"}]},
    {"emails": [{"value": "two@@fabrikam.test @x"}]},
]


@pytest.mark.parametrize("wrong", WRONG_TYPES, ids=lambda wrong: str(wrong)[:60])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_value_of_the_wrong_type_is_refused_at_any_depth(house: House, method: str, wrong: dict[str, Any]) -> None:
    body = {"schemas": [USER], "userName": "jon@fabrikam.test", **wrong}
    if "username" in wrong:
        del body["userName"]

    house.refuses(method, "/Users" if method == "POST" else f"/Users/{house.user}", body, status=400)


@pytest.mark.parametrize("number", [b"99999999999999999999", b"1e400", b"-9223372036854775809"])
def test_a_number_no_computer_word_holds_is_refused(house: House, number: bytes) -> None:
    house.refuses("POST", "/Users", data=b'{"userName": "jon@fabrikam.test", "active": %s}' % number, status=400)


@pytest.mark.parametrize(
    "wrong",
    [
        {"displayName": 5},
        {"displayName": ""},
        {"displayName": None},
        {"members": 5},
        {"members": [5]},
        {"members": [{"value": 5}]},
        {"members": [{"display": "nobody"}]},
        {"members": [[{"value": "x"}]]},
        {"members": [{"value": {"value": "x"}}]},
    ],
    ids=str,
)
def test_a_malformed_group_is_refused(house: House, wrong: dict[str, Any]) -> None:
    house.refuses("POST", "/Groups", {"schemas": [GROUP], "displayName": "Line 4", **wrong}, status=400)


MALFORMED_OPERATIONS: list[Any] = [
    "replace",
    {"op": "replace"},
    [5],
    ["replace"],
    [None],
    [{}],
    [{"op": 5, "path": "title", "value": "x"}],
    [{"op": "", "path": "title", "value": "x"}],
    [{"op": "move", "path": "title", "value": "x"}],
    [{"path": "title", "value": "x"}],
    [{"op": "add", "path": 5, "value": "x"}],
    [{"op": "add", "path": ["title"], "value": "x"}],
    [{"op": "add", "path": "title"}],
    [{"op": "add"}],
    [{"op": "add", "value": "x"}],
    [{"op": "add", "value": [1, 2]}],
    [{"op": "remove"}],
    [{"op": "replace", "path": "active", "value": {"a": 1}}],
    [{"op": "replace", "path": "name", "value": "Mira"}],
    [{"op": "replace", "path": "name.givenName", "value": ["a", "b"]}],
    [{"op": "replace", "path": "emails", "value": 5}],
    [{"op": "replace", "value": {"emails": [{"value": 5}]}}],
    [{"op": "replace", "path": "userName", "value": None}],
    [{"op": "remove", "path": "userName"}],
    [{"op": "replace", "path": "id", "value": "another"}],
    [{"op": "replace", "path": "meta.version", "value": "7"}],
    [{"op": "add", "path": "title", "value": "fine"}, {"op": "add", "path": "active", "value": "perhaps"}],
]


@pytest.mark.parametrize("operations", MALFORMED_OPERATIONS, ids=lambda operations: str(operations)[:70])
def test_malformed_operations_are_refused_and_none_is_applied(house: House, operations: Any) -> None:
    body = {"schemas": [PATCH_OP], "Operations": operations}

    house.refuses("PATCH", f"/Users/{house.user}", body, status=400)


HOSTILE_PATHS = [
    " ",
    "[",
    "]",
    ".",
    ":",
    "..",
    "emails[",
    "emails[]",
    "emails[type eq",
    'emails[type eq "work"',
    'emails[type eq "work"]]',
    'emails[type eq "work"].',
    'emails[type eq "work"].value.more',
    'emails[type eq "work"].nothing',
    'emails[nothing eq "work"].value',
    'emails[type eq "work" and].value',
    "emails[type eq work].value",
    'emails[emails[type eq "work"]].value',
    'userName[value eq "x"]',
    "userName.value",
    "name.givenName.more",
    "name..givenName",
    "urn:nobody:schemas:User:title",
    f"{ENTERPRISE}:nothing",
    f"{ENTERPRISE}:",
    f"{GROUP}:displayName",
    "a" * 5_000,
    "emails[" * 1_000,
    "emails[" + "(" * 5_000 + ")" * 5_000 + "].value",
    "emails[" + " or ".join(['type eq "work"'] * 500) + "].value",
    "emails\x00",
    "e\u0301mails",
    "../Groups",
    "$ref",
    "/title",
    "title or 1 eq 1",
    "title; drop table resources",
    "__class__",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=lambda path: path[:40].encode("unicode_escape").decode())
@pytest.mark.parametrize("op", ["add", "replace", "remove"])
def test_a_hostile_path_is_refused(house: House, op: str, path: str) -> None:
    operation = {"op": op, "path": path, "value": "x"} if op != "remove" else {"op": op, "path": path}

    house.refuses("PATCH", f"/Users/{house.user}", {"schemas": [PATCH_OP], "Operations": [operation]}, status=400)


HOSTILE_FILTERS = [
    "userName",
    "userName eq",
    'userName eq "x',
    'userName eq "x" and',
    'and userName eq "x"',
    'userName equals "x"',
    "userName eq x",
    "userName eq 'x'",
    'userName eq "x"; drop table resources',
    'userName eq "x" or 1 eq 1',
    'nothing eq "x"',
    'userName.value eq "x"',
    'name eq "x"',
    'emails[nothing eq "x"]',
    'emails[type eq "work"',
    'emails[emails[type eq "x"]]',
    "active gt true",
    'active eq "perhaps"',
    "active co true",
    "userName eq 5",
    "userName eq {}",
    "userName eq []",
    'meta.created gt "yesterday"',
    "not userName pr",
    'not (userName eq "x"',
    "(" * 500 + 'userName eq "x"' + ")" * 500,
    "not (" * 500 + "userName pr" + ")" * 500,
    " or ".join(['userName eq "x"'] * 20_000),
    'userName eq "' + "x" * 500_000 + '"',
    'userName eq "\\u0000"',
    'userName eq "\\ud800"',
    'userName eq "\\q"',
    "\x00",
    "\u202euserName pr",
    'urn:nobody:User:userName eq "x"',
    'password eq "secret"',
    "password pr",
    f'{USER}:password sw "s"',
    'not (password eq "secret")',
]


@pytest.mark.parametrize("text", HOSTILE_FILTERS, ids=lambda text: text[:40].encode("unicode_escape").decode())
@pytest.mark.parametrize("way", ["query", "search"])
def test_a_hostile_filter_is_refused(house: House, way: str, text: str) -> None:
    if way == "query":
        error = house.refuses("GET", f"/Users?filter={quote(text, safe='')}", status=400)
    else:
        error = house.refuses("POST", "/Users/.search", {"schemas": [SEARCH], "filter": text}, status=400)

    assert error.get("scimType") in ("invalidFilter", "invalidValue", "invalidSyntax")
    assert "secret" not in error["detail"]


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
    ids=lambda paging: paging[:40],
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


@pytest.mark.parametrize("strange", STRANGE_IDS, ids=lambda strange: strange[:30])
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
    answer = house.client.request("POST", "/Groups", {"schemas": [GROUP], "displayName": "Line 4", "externalId": evil})

    assert answer.status_code in (201, 400)
    assert "Set-Cookie" not in answer.headers
    if answer.status_code == 201:
        house.client.request("DELETE", f"/Groups/{orjson.loads(answer.data)['id']}")


def test_a_body_beyond_the_limit_is_refused(house: House) -> None:
    huge = orjson.dumps({"schemas": [USER], "userName": "jon", "displayName": "x" * 3_000_000})

    house.refuses("POST", "/Users", data=huge, status=413)


def test_a_body_of_many_small_things_is_answered_quickly(house: House) -> None:
    many = [{"value": f"address{number}@fabrikam.test", "primary": "maybe"} for number in range(20_000)]

    house.refuses("POST", "/Users", {"schemas": [USER], "userName": "jon", "emails": many}, status=400)


def test_ten_thousand_operations_in_one_request_are_answered_quickly(house: House) -> None:
    title = {"op": "replace", "path": "title", "value": "Engineer"}
    unknown = {"op": "replace", "path": 'emails[type eq "work"].nothing', "value": "x"}

    house.refuses("PATCH", f"/Users/{house.user}", patch([*[title] * 9_999, unknown]))


def test_ten_thousand_good_operations_end_in_one_state(scim: ScimClient) -> None:
    house = House(scim)
    operations = [{"op": "replace", "path": "title", "value": f"Engineer {number}"} for number in range(10_000)]
    started = time.process_time()
    answer = scim.request("PATCH", f"/Users/{house.user}", patch(operations))
    spent = time.process_time() - started

    assert spent < QUICK
    if answer.status_code == 200:
        assert orjson.loads(answer.data)["title"] == "Engineer 9999"
    else:
        refusal(answer, 413)


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
    ids=str,
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


def patch(operations: list[Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": operations}
