"""Bad input: refused in SCIM's words, quickly, without a trace in the store, and the server goes on."""

import time
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.scim.house import ENTERPRISE, GROUP, PATCH_OP, QUICK, SEARCH, USER, House, brief, patch, refusal
from tests.scim.server import ScimClient


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
]


@pytest.mark.parametrize("wrong", WRONG_TYPES, ids=brief)
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
    ids=brief,
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


@pytest.mark.parametrize("operations", MALFORMED_OPERATIONS, ids=brief)
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


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=brief)
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


@pytest.mark.parametrize("text", HOSTILE_FILTERS, ids=brief)
@pytest.mark.parametrize("way", ["query", "search"])
def test_a_hostile_filter_is_refused(house: House, way: str, text: str) -> None:
    if way == "query":
        error = house.refuses("GET", f"/Users?filter={quote(text, safe='')}", status=400)
    else:
        error = house.refuses("POST", "/Users/.search", {"schemas": [SEARCH], "filter": text}, status=400)

    assert error.get("scimType") in ("invalidFilter", "invalidValue", "invalidSyntax")
    assert "secret" not in error["detail"]


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
