"""PATCH against a second, naive reading of RFC 7644 section 3.5.2, and against random input."""

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.scim.dialects import Dialect
from scim_server.scim.errors import NoTarget, ScimError
from scim_server.scim.member_changes import split
from scim_server.scim.patch import Operation, apply
from scim_server.scim.registry import SchemaRegistry
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.schemas.user import USER_URN
from scim_server.scim.validate import validate_create

REGISTRY = SchemaRegistry.standard()
USER = REGISTRY.user

TEXTS = st.sampled_from(["a", "b", "c"])
TYPES = st.sampled_from(["work", "home"])
EMAILS = st.builds(lambda value, kind: {"value": value, "type": kind}, TEXTS, TYPES)
EMAIL_LISTS = st.lists(EMAILS, max_size=3, unique_by=lambda email: (email["value"], email["type"]))
NAMES = st.dictionaries(st.sampled_from(["givenName", "familyName"]), TEXTS, min_size=1)

DOCUMENTS = st.builds(
    lambda title, name, emails, department: canonical(
        {"userName": "u", "title": title, "name": name, "emails": emails, ENTERPRISE_URN: {"department": department}}
    ),
    st.none() | TEXTS,
    st.none() | NAMES,
    EMAIL_LISTS,
    st.none() | TEXTS,
)


def attempt(call: Callable[[], Any]) -> Any:
    """What the call gives, or the refusal; any other exception fails the test."""
    try:
        return call()
    except ScimError as error:
        return error


def canonical(document: dict[str, Any]) -> dict[str, Any]:
    return {"id": "1", **validate_create(document, USER, Dialect())}


def sent(op: str, path: str | None, *value: Any) -> Operation:
    return Operation(op, path, *value, has_value=True) if value else Operation(op, path)


WRITES = st.sampled_from(["add", "replace"])
OPERATIONS = st.one_of(
    st.builds(sent, WRITES, st.just("title"), TEXTS),
    st.builds(sent, WRITES, st.sampled_from(["name.givenName", "name.familyName"]), TEXTS),
    st.builds(sent, WRITES, st.just("name"), NAMES),
    st.builds(sent, WRITES, st.just("emails"), EMAIL_LISTS),
    st.builds(lambda op, kind, value: sent(op, f'emails[type eq "{kind}"].value', value), WRITES, TYPES, TEXTS),
    st.builds(sent, WRITES, st.just(f"{ENTERPRISE_URN}:department"), TEXTS),
    st.builds(
        lambda op, title, name: sent(op, None, {"title": title, "name": name}),
        WRITES,
        TEXTS,
        NAMES,
    ),
    st.builds(
        sent,
        st.just("remove"),
        st.sampled_from(
            ["title", "name", "name.givenName", "emails", f"{ENTERPRISE_URN}:department", ENTERPRISE_URN]
            + [f'emails[type eq "{kind}"]' for kind in ("work", "home")]
        ),
    ),
)


def model(document: dict[str, Any], operations: list[Operation]) -> dict[str, Any] | None:
    """The document by the letter of the RFC, None where it says noTarget; no code is shared with the server's."""
    result: dict[str, Any] = copy.deepcopy(document)
    for operation in operations:
        pairs = operation.value.items() if operation.path is None else [(operation.path, operation.value)]
        for path, value in pairs:
            if not model_one(result, operation.op, path, value):
                return None
    if not result.get("name", True):
        del result["name"]
    result["schemas"] = [USER_URN, ENTERPRISE_URN] if ENTERPRISE_URN in result else [USER_URN]
    return result


def model_one(document: dict[str, Any], op: str, path: str, value: Any) -> bool:
    if path.startswith("emails"):
        return model_emails(document, op, path, value)
    home, name = document, path
    if path.startswith(f"{ENTERPRISE_URN}:"):
        home, name = document.setdefault(ENTERPRISE_URN, {}), path.rpartition(":")[2]
    elif path.startswith("name."):
        home, name = document.setdefault("name", {}), path.rpartition(".")[2]
    if op == "remove":
        home.pop(name, None)
    elif name == "name":
        home["name"] = {**home.get("name", {}), **value}
    else:
        home[name] = value
    for container in ("name", ENTERPRISE_URN):
        if document.get(container) == {}:
            del document[container]
    return True


def model_emails(document: dict[str, Any], op: str, path: str, value: Any) -> bool:
    emails = document.pop("emails", [])
    if path == "emails":
        emails = {"add": emails + (value or []), "replace": value, "remove": []}[op]
    else:
        kind = path.split('"')[1]
        matching = [email for email in emails if email["type"] == kind]
        if op == "remove":
            emails = [email for email in emails if email["type"] != kind]
        for email in matching:
            email["value"] = value
        if not matching:
            return False
    distinct = [email for place, email in enumerate(emails) if email not in emails[:place]]
    if distinct:
        document["emails"] = distinct
    return True


@given(DOCUMENTS, st.lists(OPERATIONS, max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_strict_patch_does_what_a_naive_reading_of_the_rfc_does(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    expected = model(document, operations)
    result = attempt(lambda: apply(document, operations, USER, Dialect(strict=True)))
    if expected is None:
        assert isinstance(result, NoTarget)
    else:
        assert result == expected


@given(DOCUMENTS, st.lists(OPERATIONS, max_size=6))
@settings(max_examples=100, deadline=None)
def test_replacing_twice_is_replacing_once(document: dict[str, Any], operations: list[Operation]) -> None:
    replacing = [operation for operation in operations if operation.op == "replace"]
    once = apply(document, replacing, USER, Dialect())
    assert apply(once, replacing, USER, Dialect()) == once


PLAIN_PATHS = ["title", "userName", "active", "name", "name.givenName", "emails", "emails.value", "roles", "photos"]
FILTERED_PATHS = [
    'emails[type eq "work"]',
    'emails[type eq "work"].value',
    'roles[primary eq "True"].value',
    "emails[not (type pr)]",
    "emails[primary eq true].primary",
]
OTHER_PATHS = ["id", "meta", "groups", "schemas", "password", "externalId", "members", "", "x", 'emails[x eq "y"]']
URN_PATHS = [ENTERPRISE_URN, f"{ENTERPRISE_URN}:manager", f"{ENTERPRISE_URN}.department", USER_URN, "manager.value"]
PATHS = st.one_of(st.none(), *map(st.sampled_from, (PLAIN_PATHS, FILTERED_PATHS, OTHER_PATHS, URN_PATHS)))
SUB_NAMES = ["value", "type", "primary", "display", "givenName", "Value", "$ref", "department", "nosuch"]
KEYS = st.one_of(*map(st.sampled_from, (SUB_NAMES, PLAIN_PATHS, OTHER_PATHS, URN_PATHS)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "True", "work", "x", '{"value":"v"}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
GARBAGE = st.lists(
    st.builds(Operation, st.sampled_from(["add", "Replace", "remove", "x", ""]), PATHS, JSON, st.booleans()), max_size=4
)


@given(DOCUMENTS, GARBAGE, st.booleans())
@settings(max_examples=500, deadline=None)
def test_any_operations_give_a_canonical_document_or_an_error_of_status_400(
    document: dict[str, Any], operations: list[Operation], strict: bool
) -> None:
    before = copy.deepcopy(document)
    result = attempt(lambda: apply(document, operations, USER, Dialect(strict=strict)))
    if isinstance(result, ScimError):
        assert (result.status, bool(result.detail)) == (400, True)
    else:
        assert validate_create(result, USER, Dialect()) == {k: v for k, v in result.items() if k != "id"}
    assert document == before


@given(GARBAGE, st.booleans())
@settings(max_examples=250, deadline=None)
def test_any_operations_on_a_group_split_into_steps_of_distinct_ids_or_give_an_error(
    operations: list[Operation], strict: bool
) -> None:
    before = copy.deepcopy(operations)
    result = attempt(lambda: split(operations, REGISTRY.group, Dialect(strict=strict)))
    if isinstance(result, ScimError):
        assert result.status == 400
    else:
        rest, steps = result
        for step in steps:
            ids = getattr(step, "ids", ())
            assert len(set(ids)) == len(ids)
            assert all(isinstance(member, str) and member for member in ids)
        assert not any("members" in (operation.path or "") for operation in rest)
    assert operations == before
