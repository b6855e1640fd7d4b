"""Random requests: whatever arrives, the answer is SCIM's and never the server's fault."""

from json import dumps
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from scim_server.scim.schemas.enterprise_user import ENTERPRISE_USER
from scim_server.scim.schemas.group import GROUP
from scim_server.scim.schemas.user import USER
from tests.scim.house import PATCH_OP, House, refusal
from tests.scim.server import Server

SCHEMAS = (USER, GROUP, ENTERPRISE_USER)
NAMES = sorted({attribute.name for schema in SCHEMAS for attribute in schema.attributes})
SUBS = sorted({sub.name for schema in SCHEMAS for each in schema.attributes for sub in each.sub_attributes})
KEYS = [*NAMES, *SUBS, *(schema.id for schema in SCHEMAS), "id", "externalId", "meta", "schemas", "Operations"]
PARAMETERS = ["filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes", "cursor"]
STEPS = ["Users", "Groups", "Bulk", "Schemas", ".search", "..", ""]

text = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(["", "True", "work", "a@x.test"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
keys = st.sampled_from(KEYS) | text
json = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
bodies = st.dictionaries(keys, json, max_size=6)
words = st.sampled_from(
    [
        *KEYS,
        "eq",
        "ne",
        "co",
        "pr",
        "gt",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        ".",
        ":",
        " ",
        " ",
        '"',
        '"x"',
        "true",
        "5",
    ]
)
soup = st.lists(words | text, max_size=12).map("".join)
operations = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "remove", "Add"]) | json},
        optional={"path": st.sampled_from(KEYS) | soup, "value": json},
    ),
    max_size=4,
)

many = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def fuzzed(shared_server: Server) -> House:
    """A house that random requests may change but not break."""
    return House(shared_server.client())


def answered(answer: TestResponse) -> dict[str, Any] | None:
    """The body of a sound answer: success with SCIM JSON or without a body, or a SCIM error below 500."""
    if answer.status_code >= 300:
        return refusal(answer)
    assert answer.status_code == 204 or answer.mimetype == "application/scim+json"
    return orjson.loads(answer.data) if answer.data else None


def raw(value: Any) -> bytes:
    """JSON as a careless client writes it: lone surrogates as escapes, integers of any size."""
    return dumps(value).encode()


@many
@given(method=st.sampled_from(["POST", "PUT", "PATCH"]), kind=st.sampled_from(["Users", "Groups"]), body=bodies | json)
def test_any_body_is_answered(fuzzed: House, method: str, kind: str, body: Any) -> None:
    id_ = fuzzed.user if kind == "Users" else fuzzed.group
    path = f"/{kind}" if method == "POST" else f"/{kind}/{id_}"

    answered(fuzzed.client.request(method, path, data=raw(body)))


@many
@given(name=text, body=bodies)
def test_what_was_created_can_be_read_replaced_by_itself_and_deleted(fuzzed: House, name: str, body: Any) -> None:
    answer = fuzzed.client.request("POST", "/Users", data=raw({**body, "userName": f"fuzz {name}"}))
    made = answered(answer)
    if answer.status_code != 201 or made is None:
        return
    path = f"/Users/{made['id']}"
    read = answered(fuzzed.client.request("GET", path))
    replaced = answered(fuzzed.client.request("PUT", path, data=raw(read)))
    deleted = fuzzed.client.request("DELETE", path)

    assert read == made
    assert replaced == made
    assert deleted.status_code == 204


@many
@given(kind=st.sampled_from(["Users", "Groups"]), operations=operations)
def test_any_operations_are_answered(fuzzed: House, kind: str, operations: Any) -> None:
    id_ = fuzzed.user if kind == "Users" else fuzzed.group

    answered(
        fuzzed.client.request("PATCH", f"/{kind}/{id_}", data=raw({"schemas": [PATCH_OP], "Operations": operations}))
    )
    assert fuzzed.client.request("GET", f"/{kind}/{id_}").status_code == 200


@many
@given(
    path=st.sampled_from(["/Users", "/Groups", "/"]),
    query=st.dictionaries(
        st.sampled_from(
            ["filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes", "cursor"]
        ),
        soup | st.integers().map(str),
        max_size=3,
    ),
)
def test_any_query_is_answered(fuzzed: House, path: str, query: dict[str, str]) -> None:
    written = "&".join(f"{name}={quote(value, safe='', errors='surrogatepass')}" for name, value in query.items())

    answered(fuzzed.client.request("GET", f"{path}?{written}"))


@many
@given(path=st.lists(st.sampled_from(["Users", "Groups", "Bulk", "Schemas", ".search", "..", ""]) | text, max_size=4))
def test_any_address_is_answered(fuzzed: House, path: list[str]) -> None:
    written = "/".join(quote(step, safe="", errors="surrogatepass") for step in path)

    for method in ("GET", "PUT", "PATCH"):
        answered(fuzzed.client.request(method, f"/{written}", data=None if method == "GET" else b"{}"))


def test_after_all_that_the_server_is_well(fuzzed: House) -> None:
    assert fuzzed.client.request("GET", f"/Users/{fuzzed.user}").status_code == 200
    assert fuzzed.client.request("GET", "/Users?count=1000").status_code == 200
