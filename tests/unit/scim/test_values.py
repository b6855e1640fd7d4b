"""Values of every type, what is unassigned, and the departures of real clients."""

import copy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Mutability, Type
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import BadRequest, InvalidSyntax, InvalidValue
from scim_server.scim.schemas.enterprise_user import MANAGER
from scim_server.scim.schemas.group import MEMBERS
from scim_server.scim.schemas.user import NAME, USER
from scim_server.scim.values import MAX_STRING, accept, accept_element
from tests.unit.scim.json_values import BADGE, any_json, near_values

EMAILS, ROLES, ACTIVE = (USER.attribute(name) for name in ("emails", "roles", "active"))
EVERY_ATTRIBUTE = [*USER, *BADGE, MANAGER, MEMBERS]


def accepted(attribute: Attribute | None, value: Json, *tolerances: Tolerance) -> Json:
    """The canonical value, after checking that exactly these tolerances were needed and strict refuses them."""
    assert attribute
    dialect = Dialect()
    canonical = accept(attribute, value, dialect, attribute.name)
    assert dialect.applied == list(tolerances)
    if tolerances:
        with pytest.raises(InvalidValue):
            accept(attribute, value, Dialect(strict=True), attribute.name)
    return canonical


def refused(attribute: Attribute | None, value: Json) -> str:
    assert attribute
    with pytest.raises(InvalidValue) as caught:
        accept(attribute, value, Dialect(), attribute.name)
    return caught.value.detail


@pytest.mark.parametrize("attribute", EVERY_ATTRIBUTE, ids=lambda attribute: attribute.name)
@pytest.mark.parametrize("value", [None, "", [], {}])
def test_null_and_every_empty_value_mean_unassigned(attribute: Attribute, value: Json) -> None:
    assert accepted(attribute, value) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Type.STRING, " as it was sent "),
        (Type.BOOLEAN, False),
        (Type.INTEGER, 0),
        (Type.INTEGER, -(2**63)),
        (Type.DECIMAL, 1.5),
        (Type.DECIMAL, 3),
        (Type.DATE_TIME, "2026-03-02T09:14:07Z"),
        (Type.DATE_TIME, "0001-01-03T00:00:00.0000000Z"),
        (Type.DATE_TIME, "2026-03-02T09:14:07.123456789+14:00"),
        (Type.DATE_TIME, "2026-03-02T09:14:07"),
        (Type.BINARY, "AAECAw=="),
        (Type.REFERENCE, "random text of the validator"),
    ],
)
def test_a_value_that_fits_its_type_is_kept_verbatim(kind: Type, value: Json) -> None:
    assert accepted(Attribute("x", kind), value) == value
    assert accepted(Attribute("x", kind, multi_valued=True), [value]) == [value]


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (Type.STRING, 5, "x must be a string"),
        (Type.STRING, True, "x must be a string"),
        (Type.STRING, ["a"], "x must be a string"),
        (Type.STRING, "a\0b", "NUL"),
        (Type.STRING, "half \ud800", "surrogate"),
        (Type.STRING, "a" * (MAX_STRING + 1), str(MAX_STRING)),
        (Type.BOOLEAN, "maybe", "x must be true or false"),
        (Type.BOOLEAN, 1, "x must be true or false"),
        (Type.INTEGER, True, "x must be an integer"),
        (Type.INTEGER, 5.0, "x must be an integer"),
        (Type.INTEGER, "5", "x must be an integer"),
        (Type.INTEGER, 2**63, "64 bits"),
        (Type.DECIMAL, float("inf"), "finite"),
        (Type.DECIMAL, "1.5", "x must be a number"),
        (Type.DECIMAL, 2**64, "64 bits"),
        (Type.DATE_TIME, "2026-03-02", "date and time"),
        (Type.DATE_TIME, "2026-02-30T00:00:00Z", "date and time"),
        (Type.DATE_TIME, "2026-03-02T25:00:00Z", "date and time"),
        (Type.DATE_TIME, "2026-03-02T09:14:07.1234567890Z", "date and time"),
        (Type.DATE_TIME, "2026-03-02T09:14:07+15:00", "date and time"),
        (Type.DATE_TIME, "2026-03-02T09:14:07Z\n", "date and time"),
        (Type.BINARY, "AAECAw", "base64"),
        (Type.BINARY, "AA==\n", "base64"),
        (Type.BINARY, "ÄÄÄÄ", "base64"),
        (Type.BINARY, "A-_A", "base64"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused_by_name(kind: Type, value: Json, complaint: str) -> None:
    assert complaint in refused(Attribute("x", kind), value)


def test_the_longest_string_is_accepted() -> None:
    assert accepted(Attribute("x"), "a" * MAX_STRING) == "a" * MAX_STRING


@pytest.mark.parametrize(("text", "value"), [("True", True), ("FALSE", False), ("true", True)])
def test_a_boolean_may_be_text(text: str, value: bool) -> None:
    assert accepted(ACTIVE, text, Tolerance.TEXT_BOOLEAN) is value
    primary = accepted(EMAILS, [{"value": "a", "primary": text}], Tolerance.TEXT_BOOLEAN)
    assert primary == [{"value": "a", "primary": value}]


def test_names_are_spelled_as_in_the_schema_and_stand_in_its_order() -> None:
    canonical = accepted(NAME, {"GIVENNAME": "Mira", "familyname": "Oduya"})
    assert list(canonical.items()) == [("familyName", "Oduya"), ("givenName", "Mira")]


def test_unassigned_sub_attributes_vanish_and_so_does_what_has_no_other() -> None:
    assert accepted(NAME, {"givenName": None, "familyName": "Oduya"}) == {"familyName": "Oduya"}
    assert accepted(NAME, {"givenName": None, "familyName": ""}) is None
    assert accepted(EMAILS, [None, "", {}, {"value": ""}]) is None


def test_an_unknown_sub_attribute_is_dropped() -> None:
    value = {"givenName": "Mira", "shoeSize": 38}
    assert accepted(NAME, value, Tolerance.UNKNOWN_ATTRIBUTES) == {"givenName": "Mira"}


def test_a_sub_attribute_given_in_two_cases_is_refused() -> None:
    with pytest.raises(InvalidSyntax, match="givenName"):
        accept(NAME, {"givenName": "A", "givenname": "B"}, Dialect(), "name")


def test_a_single_value_stands_for_a_list() -> None:
    assert accepted(EMAILS, {"value": "a"}, Tolerance.SINGLE_VALUE_FOR_LIST) == [{"value": "a"}]
    assert accepted(BADGE.attribute("doors"), "north", Tolerance.SINGLE_VALUE_FOR_LIST) == ["north"]


def test_a_bare_string_stands_for_an_element_with_a_value() -> None:
    assert accepted(MEMBERS, ["1", "2"], Tolerance.BARE_STRING_ELEMENT) == [{"value": "1"}, {"value": "2"}]
    assert accept_element(MEMBERS, "1", Dialect(), "members[0]") == {"value": "1"}


def test_a_bare_string_is_no_address() -> None:
    assert refused(USER.attribute("addresses"), ["Main Street 1"]) == "addresses[0] must be an object"


@pytest.mark.parametrize(
    ("value", "tolerances"),
    [
        ({"value": "7d3e"}, []),
        ({"value": "7d3e", "$ref": "https://elsewhere.test/Users/1", "displayName": "Boss"}, []),
        ("7d3e", [Tolerance.BARE_REFERENCE]),
        ([{"$ref": "BASE/Users/7d3e", "value": "7d3e"}], [Tolerance.ONE_ELEMENT_LIST]),
        (["7d3e"], [Tolerance.ONE_ELEMENT_LIST, Tolerance.BARE_REFERENCE]),
    ],
)
def test_every_spelling_of_a_manager_means_one_reference(value: Json, tolerances: list[Tolerance]) -> None:
    canonical = accepted(MANAGER, value, *tolerances)
    assert list(canonical.items()) == [("value", "7d3e"), ("$ref", "../Users/7d3e")]


@pytest.mark.parametrize("value", [{"value": ""}, {"value": None}, {"displayName": "Boss"}, [None], [""]])
def test_a_manager_without_an_id_is_unassigned(value: Json) -> None:
    assert accept(MANAGER, value, Dialect(), "manager") is None


def test_two_managers_are_refused() -> None:
    assert refused(MANAGER, [{"value": "1"}, {"value": "2"}]) == "manager must be an object"


def test_a_reference_without_the_id_is_refused_rather_than_lost() -> None:
    assert "manager.value is required" in refused(MANAGER, {"$ref": "https://x.test/Users/1"})
    assert "members[1].value is required" in refused(MEMBERS, [{"value": "1"}, {"type": "User"}])


def test_members_keep_their_id_and_type_alone() -> None:
    sent = [{"$ref": None, "value": "1", "display": "Mira"}, {"$ref": "x", "value": "2", "type": "Group"}]
    assert accepted(MEMBERS, sent) == [{"value": "1"}, {"value": "2", "type": "Group"}]


def test_a_reference_to_elsewhere_is_kept_as_it_was_sent() -> None:
    site = Attribute("site", Type.COMPLEX, sub_attributes=(
        Attribute("$ref", Type.REFERENCE, reference_types=("external",)), Attribute("value"),
    ))  # fmt: skip
    assert accepted(site, {"$ref": "https://site.test/1"}) == {"$ref": "https://site.test/1"}


def test_equal_elements_collapse_to_one() -> None:
    sent = [{"value": "a", "type": "work"}, {"TYPE": "work", "value": "a"}, {"value": "A", "type": "work"}]
    assert accepted(EMAILS, sent) == [{"value": "a", "type": "work"}, {"value": "A", "type": "work"}]
    assert accepted(BADGE.attribute("levels"), [1, 2, 1]) == [1, 2]


def test_two_primary_values_are_refused() -> None:
    sent = [{"value": "a", "primary": True}, {"value": "b", "primary": True}]
    assert "emails has more than one value with primary true" in refused(EMAILS, sent)


def test_one_primary_value_among_others_is_kept() -> None:
    sent = [{"value": "a", "primary": True}, {"value": "b", "primary": False}]
    assert accepted(EMAILS, sent) == sent


def test_a_role_packed_into_json_text_is_unpacked() -> None:
    packed = orjson.dumps({"id": "1", "value": "Admin", "displayName": "Administrator"}).decode()
    canonical = accept(ROLES, [{"value": packed, "type": "T"}], dialect := Dialect(), "roles")
    assert canonical == [{"value": "Admin", "display": "Administrator", "type": "T"}]
    assert dialect.applied == [Tolerance.JSON_TEXT_ROLES]


@pytest.mark.parametrize("text", ["{not json", '{"value":null,"displayName":"Default"}', '{"id":"1"}', "Admin"])
def test_any_other_text_of_a_role_stays_as_it_is(text: str) -> None:
    assert accepted(ROLES, [{"value": text}]) == [{"value": text}]


def test_a_strict_dialect_keeps_a_packed_role_as_text() -> None:
    packed = '{"value":"Admin"}'
    assert accept(ROLES, [{"value": packed}], Dialect(strict=True), "roles") == [{"value": packed}]


def test_a_write_only_sub_attribute_is_checked_and_discarded() -> None:
    secret = Attribute("lock", Type.COMPLEX, sub_attributes=(
        Attribute("code", mutability=Mutability.WRITE_ONLY), Attribute("label"),
    ))  # fmt: skip
    assert accepted(secret, {"code": "1234", "label": "a"}) == {"label": "a"}
    assert refused(secret, {"code": 1234}) == "lock.code must be a string"


def test_the_error_names_the_element_and_the_sub_attribute() -> None:
    assert refused(EMAILS, [{"value": "a"}, {"value": 5}]) == "emails[1].value must be a string"


@given(st.sampled_from(EVERY_ATTRIBUTE), st.data())
def test_any_json_becomes_a_canonical_value_or_a_client_error(attribute: Attribute, data: st.DataObject) -> None:
    value = data.draw(near_values(attribute) | any_json)
    before = copy.deepcopy(value)
    try:
        canonical = accept(attribute, value, Dialect(), attribute.name)
    except BadRequest:
        return
    finally:
        assert repr(value) == repr(before)
    again = accept(attribute, canonical, dialect := Dialect(strict=True), attribute.name)
    assert orjson.dumps(again) == orjson.dumps(canonical)
    assert dialect.applied == []
    assert canonical is None or attribute.multi_valued is isinstance(canonical, list)
