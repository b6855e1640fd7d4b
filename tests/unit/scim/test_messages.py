"""The envelopes of PATCH, search and bulk requests."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.observations import Json
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import BadRequest, InvalidSyntax, InvalidValue, PayloadTooLarge
from scim_server.scim.messages import (
    BULK_URN,
    PATCH_URN,
    SEARCH_URN,
    BulkRequest,
    SearchRequest,
    bulk_request,
    patch_operations,
    search_request,
)
from scim_server.scim.patch import Operation
from tests.unit.scim.json_values import any_json


def patched(document: Json, dialect: Dialect | None = None, limit: int = 10) -> list[Operation]:
    return patch_operations(document, dialect or Dialect(strict=True), max_operations=limit)


def searched(document: Json) -> SearchRequest:
    return search_request(document, Dialect())


def bulked(document: Json) -> BulkRequest:
    return bulk_request(document, Dialect(), max_operations=2)


def test_patch_operations_keep_their_order_and_spelling() -> None:
    sent = {
        "schemas": [PATCH_URN.upper()],
        "operations": [
            {"OP": "Replace", "Path": "active", "Value": "False"},
            {"op": "remove", "path": "title", "unknown": 1},
            {"op": "add", "path": "", "value": None},
        ],
    }
    assert patched(sent) == [
        Operation("Replace", "active", "False", True),
        Operation("remove", "title", None, False),
        Operation("add", None, None, True),
    ]


@pytest.mark.parametrize("sent", [{}, {"Operations": []}, {"Operations": None}])
def test_a_patch_without_operations_changes_nothing(sent: dict[str, Json]) -> None:
    dialect = Dialect()
    assert patched(sent | {"schemas": [PATCH_URN]}, dialect) == []
    assert dialect.applied == [Tolerance.EMPTY_OPERATIONS]
    with pytest.raises(InvalidSyntax, match="at least one operation"):
        patched(sent | {"schemas": [PATCH_URN]})


@pytest.mark.parametrize("sent", [{}, {"schemas": None}, {"schemas": [BULK_URN]}])
def test_schemas_may_lack_the_urn_of_the_message(sent: dict[str, Json]) -> None:
    dialect = Dialect()
    assert patched(sent | {"Operations": [{"op": "remove", "path": "a"}]}, dialect) == [Operation("remove", "a")]
    assert dialect.applied == [Tolerance.SCHEMAS_INCOMPLETE]
    with pytest.raises(InvalidSyntax, match="schemas lacks"):
        patched(sent | {"Operations": [{"op": "remove", "path": "a"}]})


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ([], "the body must be a JSON object"),
        ({"Operations": {"op": "add"}}, "Operations: Not a valid list."),
        ({"Operations": 0}, "Operations: Not a valid list."),
        ({"Operations": [{"op": "add"}, "add"]}, "Operations[1]: Not an object."),
        ({"Operations": [{}]}, "Operations[0].op must be add, remove or replace"),
        ({"Operations": [{"op": 1}]}, "Operations[0].op must be"),
        ({"Operations": [{"op": "add", "path": 1}]}, "Operations[0].path must be a string"),
        ({"Operations": [{"op": "add", "OP": "add"}]}, "Operations[0] has the key 'op' twice"),
        ({"Operations": [], "operations": []}, "the body has the key"),
        ({"schemas": "urn"}, "schemas: Not a valid list."),
        ({"schemas": [1]}, "schemas[0]: Not a valid string."),
    ],
)
def test_a_patch_of_the_wrong_shape_is_refused_with_its_place(sent: Json, detail: str) -> None:
    with pytest.raises(InvalidSyntax) as caught:
        patched(sent, Dialect())
    assert caught.value.detail.startswith(detail)


def test_too_many_operations_are_refused() -> None:
    operations = [{"op": "remove", "path": "title"}] * 3
    assert len(patched({"Operations": operations}, Dialect(), limit=3)) == 3
    with pytest.raises(PayloadTooLarge, match="3 operations; at most 2"):
        patched({"Operations": operations}, Dialect(), limit=2)
    with pytest.raises(PayloadTooLarge, match="3 operations; at most 2"):
        bulked({"Operations": [{"method": "DELETE", "path": "/Users/1"}] * 3})


def test_ten_thousand_operations_are_read_in_a_fraction_of_a_second() -> None:
    sent = {"Operations": [{"op": "Add", "path": "title", "value": str(number)} for number in range(10_000)]}
    started = time.process_time()
    assert len(patched(sent, Dialect(), limit=10_000)) == 10_000
    assert time.process_time() - started < 0.2


def test_a_search_request_is_read_whole() -> None:
    sent = {
        "schemas": [SEARCH_URN],
        "filter": 'userName eq "a"',
        "attributes": ["userName", " name "],
        "EXCLUDEDATTRIBUTES": "groups, emails",
        "sortBy": "name.familyName",
        "sortOrder": "Descending",
        "startIndex": 0,
        "count": -1,
        "cursor": "",
    }
    assert searched(sent) == SearchRequest(
        filter='userName eq "a"',
        attributes=["userName", "name"],
        excluded_attributes=["groups", "emails"],
        sort_by="name.familyName",
        sort_order="descending",
        start_index=0,
        count=-1,
        cursor="",
    )


def test_a_search_request_without_anything_asks_for_everything() -> None:
    assert searched({}) == searched({"filter": None, "attributes": None, "count": None}) == SearchRequest()


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ("text", "the body must be a JSON object"),
        ({"startIndex": "1"}, "startIndex: Not a valid integer."),
        ({"count": 1.5}, "count: Not a valid integer."),
        ({"sortBy": 1}, "sortBy: Not a valid string."),
        ({"attributes": [1]}, "attributes: Not a list of attribute names."),
        ({"excludedAttributes": {}}, "excludedAttributes: Not a list of attribute names."),
    ],
)
def test_a_search_of_the_wrong_shape_is_refused_by_name(sent: Json, detail: str) -> None:
    with pytest.raises(InvalidSyntax) as caught:
        searched(sent)
    assert caught.value.detail.startswith(detail)


def test_a_search_in_an_unknown_order_is_refused() -> None:
    with pytest.raises(InvalidValue, match="sortOrder must be ascending or descending"):
        searched({"sortOrder": "random"})


def test_bulk_operations_have_their_keys_spelled_as_in_the_rfc() -> None:
    sent = {
        "failOnErrors": 1,
        "Operations": [
            {"METHOD": "post", "path": "/Users", "BulkID": "a", "data": {"userName": "mira"}, "version": None},
            {"method": "DELETE", "path": "/Users/1", "version": 'W/"1"', "extra": 1},
        ],
    }
    assert bulked(sent) == BulkRequest(
        operations=[
            {"method": "post", "path": "/Users", "bulkId": "a", "data": {"userName": "mira"}},
            {"method": "DELETE", "path": "/Users/1", "version": 'W/"1"'},
        ],
        fail_on_errors=1,
    )


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ({}, "Operations: Missing data for required field."),
        ({"Operations": None}, "Operations: Field may not be null."),
        ({"Operations": [{"path": "/Users"}]}, "Operations[0].method is required"),
        ({"Operations": [{"method": "POST"}]}, "Operations[0].path is required"),
        ({"Operations": [{"method": 1, "path": "/Users"}]}, "Operations[0].method must be a string"),
        ({"Operations": [{"method": "POST", "path": "/Users", "bulkId": 1}]}, "Operations[0].bulkId must be a string"),
        ({"failOnErrors": "1", "Operations": []}, "failOnErrors: Not a valid integer."),
    ],
)
def test_a_bulk_request_of_the_wrong_shape_is_refused_with_its_place(sent: Json, detail: str) -> None:
    with pytest.raises(InvalidSyntax) as caught:
        bulked(sent)
    assert caught.value.detail == detail


@pytest.mark.parametrize("count", [0, -1])
def test_bulk_must_allow_one_error_before_it_stops(count: int) -> None:
    with pytest.raises(InvalidValue, match="failOnErrors must be at least 1"):
        bulked({"Operations": [], "failOnErrors": count})


@pytest.mark.parametrize("read", [patched, searched, bulked])
@given(inner=any_json, name=st.sampled_from(["Operations", "attributes", "sortOrder", "failOnErrors", "schemas"]))
def test_any_message_is_read_or_refused_as_a_client_error(
    read: Callable[[Json], object], inner: Json, name: str
) -> None:
    for body in (inner, {name: inner}, {name: [inner]}, {"Operations": [{"op": "add", "method": inner, "path": "/"}]}):
        with suppress(BadRequest, PayloadTooLarge):
            assert read(body) is not None
