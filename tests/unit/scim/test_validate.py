"""Whole resources: what a POST or PUT body becomes."""

import copy
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Schema
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import BadRequest, InvalidSyntax, InvalidValue, Mutability
from scim_server.scim.registry import ResourceType
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.schemas.group import GROUP_URN
from scim_server.scim.schemas.user import USER_URN
from scim_server.scim.validate import require, validate_create, validate_replace
from tests.unit.scim.json_values import BADGE, GROUP, USER, any_json, near_documents

MIRA = {"schemas": [USER_URN], "userName": "mira"}
MICROSOFT_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


def created(document: Json, *tolerances: Tolerance, resource_type: ResourceType = USER) -> dict[str, Json]:
    """The canonical document, after checking that exactly these tolerances were needed and strict refuses them."""
    dialect = Dialect()
    canonical = validate_create(document, resource_type, dialect)
    assert dialect.applied == list(tolerances)
    if tolerances:
        with pytest.raises(BadRequest):
            validate_create(document, resource_type, Dialect(strict=True))
    return canonical


def test_the_create_example_of_entra_becomes_its_canonical_document() -> None:
    sent = {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "externalId": "mira",
        "userName": "mira@fabrikam.test",
        "active": True,
        "displayName": "Mira Oduya",
        "title": None,
        "emails": [{"primary": True, "type": "work", "value": "mira@fabrikam.test"}],
        "addresses": None,
        "name": {"formatted": "Mira Oduya", "familyName": "Oduya", "givenName": "Mira"},
        "roles": [],
        "meta": {"resourceType": "User"},
        "department": None,
        "manager": None,
    }
    assert list(created(sent, Tolerance.UNQUALIFIED_EXTENSION_NAMES).items()) == [
        ("schemas", [USER_URN]),
        ("externalId", "mira"),
        ("userName", "mira@fabrikam.test"),
        ("name", {"formatted": "Mira Oduya", "familyName": "Oduya", "givenName": "Mira"}),
        ("displayName", "Mira Oduya"),
        ("active", True),
        ("emails", [{"value": "mira@fabrikam.test", "type": "work", "primary": True}]),
    ]


def test_schemas_lists_the_extensions_that_have_data() -> None:
    sent = MIRA | {"schemas": [USER_URN, ENTERPRISE_URN, BADGE.id], BADGE.id: {"revoked": False}, ENTERPRISE_URN: {}}
    canonical = created(sent)
    assert canonical["schemas"] == [USER_URN, BADGE.id]
    assert canonical[BADGE.id] == {"revoked": False}
    assert ENTERPRISE_URN not in canonical


@pytest.mark.parametrize("schemas", [None, [], [ENTERPRISE_URN]])
def test_schemas_may_lack_the_core_urn(schemas: Json) -> None:
    assert created({"userName": "mira", "schemas": schemas}, Tolerance.SCHEMAS_INCOMPLETE)["schemas"] == [USER_URN]


def test_schemas_may_lack_an_extension_that_is_used() -> None:
    canonical = created(MIRA | {ENTERPRISE_URN.upper(): {"department": "QA"}}, Tolerance.SCHEMAS_INCOMPLETE)
    assert canonical["schemas"] == [USER_URN, ENTERPRISE_URN]
    assert canonical[ENTERPRISE_URN] == {"department": "QA"}


def test_an_unknown_urn_in_schemas_is_dropped() -> None:
    sent = {"schemas": [GROUP_URN, MICROSOFT_GROUP], "displayName": "Plant Quality"}
    assert created(sent, Tolerance.UNKNOWN_SCHEMAS, resource_type=GROUP)["schemas"] == [GROUP_URN]


@pytest.mark.parametrize("schemas", [USER_URN, [1], {"a": 1}, 0, ""])
def test_schemas_must_be_a_list_of_urns(schemas: Json) -> None:
    with pytest.raises(InvalidSyntax, match="schemas must be a list"):
        created(MIRA | {"schemas": schemas})


@pytest.mark.parametrize("body", [None, [], "text", 5, [MIRA]])
def test_the_body_must_be_an_object(body: Json) -> None:
    with pytest.raises(InvalidSyntax, match="JSON object that describes a User"):
        created(body)


def test_names_compare_without_case_and_two_cases_of_one_are_refused() -> None:
    assert created({"SCHEMAS": [USER_URN.upper()], "USERNAME": "mira"}) == MIRA
    with pytest.raises(InvalidSyntax, match="twice"):
        created(MIRA | {"username": "tove"})


@pytest.mark.parametrize("missing", [{}, {"userName": None}, {"userName": ""}])
def test_a_required_attribute_must_have_a_value(missing: dict[str, Json]) -> None:
    with pytest.raises(InvalidValue, match="userName is required"):
        created({"schemas": [USER_URN]} | missing)


def test_a_required_sub_attribute_must_have_a_value_where_its_attribute_has_one() -> None:
    with pytest.raises(InvalidValue, match=r"Badge:1\.0:User:reader\.serial is required"):
        created(MIRA | {"schemas": [USER_URN, BADGE.id], BADGE.id: {"reader": {"site": "A"}}})


def test_a_required_attribute_of_an_extension_counts_where_the_extension_is_used() -> None:
    schema = Schema("urn:example:Car", "Car", "", (Attribute("plate", required=True), Attribute("color")))
    with_car = replace(USER, extensions=(schema,))
    require(MIRA, with_car)
    with pytest.raises(InvalidValue, match="urn:example:Car:plate is required"):
        require(MIRA | {"urn:example:Car": {"color": "red"}}, with_car)


@pytest.mark.parametrize("sent", [{"id": "1"}, {"meta": {"version": "x"}}, {"groups": []}, {"groups": [{"value": 1}]}])
def test_read_only_attributes_are_ignored(sent: dict[str, Json]) -> None:
    assert created(MIRA | sent) == MIRA


def test_a_password_is_checked_and_discarded() -> None:
    assert created(MIRA | {"password": "s3cret"}) == MIRA
    with pytest.raises(InvalidValue, match="password must be a string"):
        created(MIRA | {"password": 5})


def test_an_unknown_attribute_is_dropped() -> None:
    assert created(MIRA | {"shoeSize": 38}, Tolerance.UNKNOWN_ATTRIBUTES) == MIRA
    assert created(MIRA | {"urn:unknown:User": {"a": 1}}, Tolerance.UNKNOWN_ATTRIBUTES) == MIRA
    assert created(MIRA | {"emails.value": "a"}, Tolerance.UNKNOWN_ATTRIBUTES) == MIRA
    with_schema = MIRA | {"schemas": [USER_URN, ENTERPRISE_URN]}
    canonical = created(with_schema | {ENTERPRISE_URN: {"shoeSize": 38}}, Tolerance.UNKNOWN_ATTRIBUTES)
    assert canonical == MIRA


def test_strict_names_the_unknown_attribute() -> None:
    with pytest.raises(InvalidValue, match="'shoesize'"):
        validate_create(MIRA | {"shoeSize": 38}, USER, Dialect(strict=True))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("name.familyName", "Oduya", {"name": {"familyName": "Oduya"}}),
        (f"{USER_URN}:nickName", "Mi", {"nickName": "Mi"}),
        (f"{USER_URN}:name.familyName", "Oduya", {"name": {"familyName": "Oduya"}}),
    ],
)
def test_a_composed_key_sets_its_attribute(key: str, value: Json, expected: dict[str, Json]) -> None:
    assert created(MIRA | {key: value}, Tolerance.QUALIFIED_KEYS) == MIRA | expected


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (f"{ENTERPRISE_URN}:department", "QA", {"department": "QA"}),
        (f"{ENTERPRISE_URN.lower()}:DEPARTMENT", "QA", {"department": "QA"}),
        (f"{ENTERPRISE_URN}:manager.value", "7d3e", {"manager": {"value": "7d3e", "$ref": "../Users/7d3e"}}),
    ],
)
def test_a_composed_key_sets_an_extension_attribute(key: str, value: Json, expected: dict[str, Json]) -> None:
    sent = MIRA | {"schemas": [USER_URN, ENTERPRISE_URN], key: value}
    assert created(sent, Tolerance.QUALIFIED_KEYS) == sent_without(sent, key) | {ENTERPRISE_URN: expected}


def sent_without(sent: dict[str, Json], key: str) -> dict[str, Json]:
    return {name: value for name, value in sent.items() if name != key}


def test_a_dot_may_stand_after_the_urn() -> None:
    sent = MIRA | {"schemas": [USER_URN, ENTERPRISE_URN], f"{ENTERPRISE_URN}.department": "QA"}
    assert created(sent, Tolerance.DOTTED_URN)[ENTERPRISE_URN] == {"department": "QA"}


def test_composed_keys_join_the_object_wherever_they_stand() -> None:
    sent = {"name.familyName": "Oduya", **MIRA, "name": {"givenName": "Mira"}, "name.middleName": "J."}
    name = created(sent, Tolerance.QUALIFIED_KEYS)["name"]
    assert list(name.items()) == [("familyName", "Oduya"), ("givenName", "Mira"), ("middleName", "J.")]


def test_a_value_given_in_two_spellings_is_refused() -> None:
    with pytest.raises(InvalidSyntax, match=r"'name\.familyName' twice"):
        created(MIRA | {"name": {"FAMILYNAME": "A"}, "name.familyName": "B"})
    with pytest.raises(InvalidSyntax, match="'department' twice"):
        created(MIRA | {ENTERPRISE_URN: {"department": "A"}, f"{ENTERPRISE_URN}:department": "B"})


def test_an_unqualified_extension_name_is_taken_where_one_extension_has_it() -> None:
    sent = MIRA | {"schemas": [USER_URN, ENTERPRISE_URN], "Department": "QA"}
    assert created(sent, Tolerance.UNQUALIFIED_EXTENSION_NAMES)[ENTERPRISE_URN] == {"department": "QA"}


def test_an_unqualified_name_of_two_extensions_is_dropped() -> None:
    other = Schema("urn:example:Other", "Other", "", (Attribute("department"),))
    both = replace(USER, extensions=(*USER.extensions, other))
    assert created(MIRA | {"department": "QA"}, Tolerance.UNKNOWN_ATTRIBUTES, resource_type=both) == MIRA


@pytest.mark.parametrize("value", ["text", 5, ["a"]])
def test_an_extension_must_be_an_object(value: Json) -> None:
    with pytest.raises(InvalidValue, match=r"enterprise:2\.0:User must be an object"):
        created(MIRA | {ENTERPRISE_URN: value})


def test_members_are_handed_over_with_id_and_type() -> None:
    sent = {"schemas": [GROUP_URN], "displayName": "Plant", "members": [{"value": "1", "type": "User", "display": "M"}]}
    assert created(sent, resource_type=GROUP)["members"] == [{"value": "1", "type": "User"}]


STORED = MIRA | {
    "schemas": [USER_URN, BADGE.id],
    "id": "1",
    "title": "Boss",
    "active": False,
    BADGE.id: {"number": 7, "printed": "yes", "weight": 2, "reader": {"serial": "s", "site": "A"}},
    "meta": {"version": "x"},
}


def replaced(document: Json, *tolerances: Tolerance) -> dict[str, Json]:
    dialect = Dialect()
    canonical = validate_replace(document, USER, STORED, dialect)
    assert dialect.applied == list(tolerances)
    return canonical


@pytest.mark.parametrize("sent", [{}, {"active": None}])
def test_a_put_without_active_keeps_it_and_clears_the_rest(sent: dict[str, Json]) -> None:
    canonical = replaced(MIRA | sent, Tolerance.KEEP_ACTIVE_ON_PUT)
    assert canonical["active"] is False
    assert "title" not in canonical


def test_a_strict_put_without_active_clears_it() -> None:
    assert "active" not in validate_replace(MIRA, USER, STORED, Dialect(strict=True))


def test_a_put_keeps_read_only_and_immutable_values_but_no_others() -> None:
    canonical = replaced(MIRA | {"active": True})
    assert canonical["active"] is True
    assert canonical[BADGE.id] == {"number": 7, "printed": "yes"}
    assert canonical["schemas"] == [USER_URN, BADGE.id]
    assert "id" not in canonical
    assert "meta" not in canonical


def test_a_put_keeps_an_immutable_sub_attribute_in_its_place() -> None:
    sent = MIRA | {"schemas": STORED["schemas"], "active": True, BADGE.id: {"reader": {"tags": ["x"], "serial": "t"}}}
    reader = replaced(sent)[BADGE.id]["reader"]
    assert list(reader.items()) == [("serial", "t"), ("site", "A"), ("tags", ["x"])]


@pytest.mark.parametrize("badge", [{"number": 8}, {"reader": {"serial": "s", "site": "B"}}])
def test_a_put_that_changes_an_immutable_value_is_refused(badge: Json) -> None:
    with pytest.raises(Mutability, match="immutable"):
        replaced(MIRA | {"schemas": STORED["schemas"], "active": True, BADGE.id: badge})


def test_a_put_may_repeat_an_immutable_value_and_set_one_that_is_unset() -> None:
    sent = MIRA | {"schemas": STORED["schemas"], "active": True, BADGE.id: {"number": 7}}
    assert replaced(sent)[BADGE.id]["number"] == 7
    assert validate_replace(sent, USER, MIRA, Dialect())[BADGE.id] == {"number": 7}


@pytest.mark.parametrize("resource_type", [USER, GROUP], ids=["User", "Group"])
@given(data=st.data())
def test_any_body_becomes_a_canonical_document_or_a_client_error(
    resource_type: ResourceType, data: st.DataObject
) -> None:
    body = data.draw(near_documents(resource_type))
    before = copy.deepcopy(body)
    try:
        canonical = validate_create(body, resource_type, Dialect())
    except BadRequest:
        return
    finally:
        assert repr(body) == repr(before)
    again = validate_create(canonical, resource_type, dialect := Dialect(strict=True))
    assert orjson.dumps(again) == orjson.dumps(canonical)
    assert dialect.applied == []


@given(near_documents(USER), near_documents(USER))
def test_a_put_over_any_document_is_canonical_or_a_client_error(first: Json, second: Json) -> None:
    try:
        current = validate_create(first, USER, Dialect())
        canonical = validate_replace(second, USER, current, Dialect())
    except BadRequest:
        return
    again = validate_replace(canonical, USER, canonical, Dialect(strict=True))
    assert orjson.dumps(again) == orjson.dumps(canonical)


@given(any_json)
def test_strict_refuses_any_odd_body_as_a_client_error(body: Json) -> None:
    with pytest.raises(BadRequest):
        validate_create(body, USER, Dialect(strict=True))
