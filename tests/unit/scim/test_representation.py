"""What a client sees of a stored document, and where things say they are."""

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Returned, Schema, Type
from scim_server.scim.errors import InvalidValue
from scim_server.scim.registry import ResourceType, SchemaRegistry
from scim_server.scim.representation import Projection, absolute, splice
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.schemas.user import USER_URN

REGISTRY = SchemaRegistry.standard()
USER, GROUP = REGISTRY.user, REGISTRY.group
MIRA = {
    "schemas": [USER_URN, ENTERPRISE_URN],
    "id": "7d3e",
    "externalId": "mira",
    "userName": "mira@fabrikam.test",
    "name": {"familyName": "Oduya", "givenName": "Mira"},
    "emails": [{"value": "mira@fabrikam.test", "type": "work"}, {"value": "m@home.test"}],
    "groups": [{"value": "1", "$ref": "../Groups/1"}],
    ENTERPRISE_URN: {"department": "QA", "manager": {"value": "9", "$ref": "../Users/9"}},
    "meta": {"resourceType": "User", "location": "../Users/7d3e"},
}
ALWAYS = {"schemas": MIRA["schemas"], "id": "7d3e"}


def seen(attributes: str | list[str]) -> Json:
    shown = Projection.parse(USER, attributes=attributes).apply(MIRA)
    assert {name: shown.pop(name) for name in ALWAYS} == ALWAYS
    return shown


def without(excluded: str | list[str]) -> Json:
    return Projection.parse(USER, excluded=excluded).apply(MIRA)


def test_without_a_wish_everything_is_seen_as_it_lies() -> None:
    projection = Projection.parse(USER)
    assert projection.is_default
    assert projection.apply(MIRA) == MIRA


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("userName", {"userName": "mira@fabrikam.test"}),
        ("USERNAME , externalid", {"externalId": "mira", "userName": "mira@fabrikam.test"}),
        (["name.givenName"], {"name": {"givenName": "Mira"}}),
        ("name.givenName,name", {"name": MIRA["name"]}),
        ("emails.type", {"emails": [{"type": "work"}]}),
        ("emails.display", {}),
        ("meta.resourceType", {"meta": {"resourceType": "User"}}),
        (f"{USER_URN}:name.familyName", {"name": {"familyName": "Oduya"}}),
        (ENTERPRISE_URN, {ENTERPRISE_URN: MIRA[ENTERPRISE_URN]}),
        (ENTERPRISE_URN.upper() + ":DEPARTMENT", {ENTERPRISE_URN: {"department": "QA"}}),
        (f"{ENTERPRISE_URN}:manager.value", {ENTERPRISE_URN: {"manager": {"value": "9"}}}),
        ("manager", {ENTERPRISE_URN: {"manager": {"value": "9", "$ref": "../Users/9"}}}),
        ("shoeSize,name.shoeSize,urn:unknown:a", {}),
    ],
)
def test_named_attributes_are_seen_beside_id_and_schemas(attributes: str | list[str], expected: Json) -> None:
    assert seen(attributes) == expected


def test_the_core_urn_names_all_core_attributes() -> None:
    assert seen(USER_URN).keys() == {"userName", "name", "emails", "groups"}


def test_excluded_attributes_are_not_seen() -> None:
    assert without("groups,emails").keys() == MIRA.keys() - {"groups", "emails"}
    assert without(ENTERPRISE_URN).keys() == MIRA.keys() - {ENTERPRISE_URN}
    assert without("name.givenName")["name"] == {"familyName": "Oduya"}
    assert without("emails.type")["emails"] == [{"value": "mira@fabrikam.test"}, {"value": "m@home.test"}]
    assert without(f"{ENTERPRISE_URN}:manager")[ENTERPRISE_URN] == {"department": "QA"}
    assert without("name.givenName,name.familyName").keys() == MIRA.keys() - {"name"}


def test_what_no_schema_knows_any_more_is_not_seen() -> None:
    leftover = MIRA | {"urn:example:removed": {"color": "red"}, "shoeSize": 38}
    assert Projection.parse(USER, excluded="title").apply(leftover) == MIRA


def test_id_and_schemas_cannot_be_excluded() -> None:
    assert without("id,schemas") == MIRA


def test_both_parameters_at_once_are_refused() -> None:
    with pytest.raises(InvalidValue, match="cannot be combined"):
        Projection.parse(USER, attributes="userName", excluded="emails")


@pytest.mark.parametrize("empty", [None, "", []])
def test_an_empty_parameter_asks_for_nothing(empty: str | list[str] | None) -> None:
    assert Projection.parse(USER, attributes=empty, excluded=empty).is_default


@pytest.mark.parametrize(
    ("attributes", "excluded", "wanted"),
    [
        (None, None, True),
        ("displayName", None, False),
        ("members", None, True),
        ("members.value", None, True),
        (None, "members", False),
        (None, "members.display", True),
        (None, f"{GROUP.core.id}:Members", False),
    ],
)
def test_a_projection_tells_whether_members_have_to_be_loaded(
    attributes: str | None, excluded: str | None, wanted: bool
) -> None:
    assert Projection.parse(GROUP, attributes=attributes, excluded=excluded).wants("members") is wanted


BADGE = Schema(
    "urn:example:Badge",
    "Badge",
    "",
    (
        Attribute("color"),
        Attribute("history", returned=Returned.REQUEST),
        Attribute("pin", returned=Returned.NEVER),
        Attribute(
            "reader",
            Type.COMPLEX,
            multi_valued=True,
            sub_attributes=(
                Attribute("serial", returned=Returned.ALWAYS),
                Attribute("key", returned=Returned.NEVER),
                Attribute("log", returned=Returned.REQUEST),
                Attribute("site"),
            ),
        ),
    ),
)
BADGED: ResourceType = replace(USER, extensions=(BADGE,))
READER = {"serial": "s", "key": "k", "log": "l", "site": "A"}
STORED = {"id": "1", BADGE.id: {"color": "red", "history": "h", "pin": "p", "reader": [READER]}}


@pytest.mark.parametrize(
    ("attributes", "excluded", "expected"),
    [
        (None, None, {"color": "red", "reader": [{"serial": "s", "site": "A"}]}),
        (BADGE.id, None, {"color": "red", "reader": [{"serial": "s", "site": "A"}]}),
        ("history,pin", None, {"history": "h"}),
        ("reader.log,reader.key", None, {"reader": [{"serial": "s", "log": "l"}]}),
        ("reader", None, {"reader": [{"serial": "s", "site": "A"}]}),
        (None, "reader.serial,color", {"reader": [{"serial": "s", "site": "A"}]}),
    ],
)
def test_the_returned_characteristic_of_a_run_time_extension_is_honoured(
    attributes: str | None, excluded: str | None, expected: Json
) -> None:
    projection = Projection.parse(BADGED, attributes=attributes, excluded=excluded)
    assert not projection.is_default
    assert projection.apply(STORED) == {"id": "1", BADGE.id: expected}


ATTRIBUTE_PATHS = st.lists(
    st.sampled_from(
        ["id", "name", "name.givenName", "emails", "emails.value", "groups", "meta", "manager.value", ENTERPRISE_URN]
    ),
    min_size=1,
)


@given(ATTRIBUTE_PATHS)
def test_a_projected_document_never_holds_more_than_the_stored_one_and_projects_to_itself(names: list[str]) -> None:
    for projection in (Projection.parse(USER, attributes=names), Projection.parse(USER, excluded=names)):
        shown = projection.apply(MIRA)
        assert shown.keys() <= MIRA.keys()
        assert shown.keys() >= ALWAYS.keys()
        assert projection.apply(shown) == shown
        assert all(projection.wants(name) for name in shown if ":" not in name)


def test_relative_references_become_absolute_and_values_stay() -> None:
    stored = MIRA | {"userName": 'x"$ref":"../Users/1 and "location":"../'}
    read = orjson.loads(absolute(orjson.dumps(stored), b"https://id.test/scim/v2"))
    assert read["userName"] == stored["userName"]
    assert read["meta"]["location"] == "https://id.test/scim/v2/Users/7d3e"
    assert read["groups"][0]["$ref"] == "https://id.test/scim/v2/Groups/1"
    assert read[ENTERPRISE_URN]["manager"]["$ref"] == "https://id.test/scim/v2/Users/9"


@given(st.text())
def test_no_value_is_ever_taken_for_a_reference(text: str) -> None:
    document = {"title": text, "nickName": f'"$ref":"../{text}"', "list": [f'{text}"location":"../']}
    assert orjson.loads(absolute(orjson.dumps(document), b"https://id.test")) == document


def test_members_are_spliced_into_an_object() -> None:
    assert splice(b'{"a":1}', b'"b":[2]') == b'{"a":1,"b":[2]}'
    assert splice(b"{}", b'"b":2') == b'{"b":2}'
    assert splice(b'{"a":1}', b"") == b'{"a":1}'
