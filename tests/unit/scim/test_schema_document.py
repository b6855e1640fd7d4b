"""Schemas as documents: shown, and read for extensions added at run time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Mutability, Returned, Schema, Type, Uniqueness
from scim_server.scim.errors import InvalidValue
from scim_server.scim.schemas.document import from_document, to_document
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.schemas.user import USER, USER_URN
from tests.unit.scim.json_values import BADGE, REGISTRY, any_json

URN = "urn:example:scim:schemas:extension:Badge:1.0:User"


def read(*attributes: Json, **keys: Json) -> Schema:
    return from_document({"id": URN, "name": "Badge", "attributes": list(attributes)} | keys)


def refused(*attributes: Json, **keys: Json) -> str:
    with pytest.raises(InvalidValue) as caught:
        read(*attributes, **keys)
    return caught.value.detail


def test_an_attribute_with_a_name_alone_has_the_defaults_of_the_rfc() -> None:
    assert read({"name": "color"}) == Schema(URN, "Badge", "", (Attribute("color"),))


def test_every_characteristic_is_read_whatever_the_case_of_its_key() -> None:
    sent = {
        "NAME": "owner",
        "Type": "complex",
        "MULTIVALUED": True,
        "required": True,
        "description": "Who has it.",
        "mutability": "immutable",
        "returned": "request",
        "uniqueness": "server",
        "subAttributes": [
            {"name": "$ref", "type": "reference", "referenceTypes": ["User"]},
            {"name": "label", "caseExact": True, "canonicalValues": ["a", "b"], "uniqueness": "global"},
        ],
    }
    (owner,) = read(sent)
    assert owner == Attribute(
        "owner",
        Type.COMPLEX,
        "Who has it.",
        multi_valued=True,
        required=True,
        mutability=Mutability.IMMUTABLE,
        returned=Returned.REQUEST,
        uniqueness=Uniqueness.SERVER,
        sub_attributes=(
            Attribute("$ref", Type.REFERENCE, case_exact=True, reference_types=("User",)),
            Attribute("label", case_exact=True, canonical_values=("a", "b"), uniqueness=Uniqueness.GLOBAL),
        ),
    )


def test_a_write_only_attribute_is_never_returned() -> None:
    assert read({"name": "pin", "mutability": "writeOnly"}).attributes[0].returned is Returned.NEVER
    assert "pin is writeOnly" in refused({"name": "pin", "mutability": "writeOnly", "returned": "default"})


@pytest.mark.parametrize(
    ("attribute", "detail"),
    [
        ({"name": "color", "type": "colour"}, "color: type must be one of string, boolean"),
        ({"name": "color", "type": ["string"]}, "color: type must be one of"),
        ({"name": "color", "multiValued": "true"}, "color: multiValued must be true or false"),
        ({"name": "color", "required": 1}, "color: required must be true or false"),
        ({"name": "color", "mutability": "readwrite"}, "color: mutability must be one of readOnly"),
        ({"name": "color", "returned": "sometimes"}, "color: returned must be one of always"),
        ({"name": "color", "uniqueness": "galaxy"}, "color: uniqueness must be one of none"),
        ({"name": "color", "canonicalValues": "red"}, "color: canonicalValues must be a list of strings"),
        ({"name": "color", "referenceTypes": [1]}, "color: referenceTypes must be a list of strings"),
        ({"name": "color", "description": 5}, "color: description must be a string"),
        ({"name": "color", "mutliValued": True}, "color has the unknown key 'mutlivalued'"),
        ({"name": "color", "subAttributes": [{"name": "a"}]}, "color has subAttributes"),
        ({"name": "lock", "type": "complex"}, "lock needs subAttributes"),
        ({"name": "lock", "type": "complex", "subAttributes": []}, "lock needs subAttributes"),
        (
            {"name": "lock", "type": "complex", "subAttributes": [{"name": "inner", "type": "complex"}]},
            "lock.inner is complex inside a complex attribute",
        ),
        (
            {"name": "lock", "type": "complex", "subAttributes": [{"name": "a"}, {"name": "A"}]},
            "lock has two attributes named A",
        ),
        ({"name": "2nd"}, "'2nd' is no attribute name"),
        ({"name": "a.b"}, "'a.b' is no attribute name"),
        ({"name": "größe"}, "'größe' is no attribute name"),
        ({"name": "$ref"}, "'$ref' is no attribute name"),
        ({"name": ""}, "number 1: name must be a string that is not empty"),
        ({}, "number 1: name must be a string"),
        ("color", "number 1 must be a JSON object"),
        ({"name": "a", "NAME": "b"}, "number 1 has a key twice"),
    ],
)
def test_a_bad_attribute_is_refused_by_name(attribute: Json, detail: str) -> None:
    assert detail in refused(attribute)


def test_two_attributes_of_one_name_are_refused() -> None:
    assert "two attributes named COLOR" in refused({"name": "color"}, {"name": "COLOR"})


@pytest.mark.parametrize(
    ("keys", "detail"),
    [
        ({"id": "Badge"}, "id must be a URN"),
        ({"id": "urn:example:a b"}, "id must be a URN"),
        ({"id": "urn:example:a,b"}, "id must be a URN"),
        ({"id": "urn:example:badge:"}, "id must be a URN"),
        ({"id": "urn:example:" + "a" * 300}, "id must be a URN"),
        ({"id": None}, "id must be a string"),
        ({"id": USER_URN}, "reserved"),
        ({"id": ENTERPRISE_URN.upper()}, "reserved"),
        ({"id": "urn:ietf:params:scim:api:messages:2.0:Mine"}, "reserved"),
        ({"name": None}, "name must be a string"),
        ({"description": []}, "description must be a string"),
        ({"attributes": []}, "needs attributes"),
        ({"attributes": {"name": "color"}}, "needs attributes"),
        ({"extra": 1}, "unknown key 'extra'"),
    ],
)
def test_a_bad_schema_is_refused(keys: dict[str, Json], detail: str) -> None:
    assert detail in refused({"name": "color"}, **keys)


def test_the_urn_of_a_microsoft_custom_extension_is_accepted() -> None:
    urn = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
    assert read({"name": "color"}, id=urn).id == urn


@pytest.mark.parametrize("document", [None, [], "urn:example:a", 5])
def test_a_schema_must_be_an_object(document: Json) -> None:
    with pytest.raises(InvalidValue, match="the schema must be a JSON object"):
        from_document(document)


@pytest.mark.parametrize("schema", REGISTRY.schemas, ids=lambda schema: schema.name)
def test_a_shown_schema_describes_the_table_it_was_made_from(schema: Schema) -> None:
    shown = to_document(schema)
    assert shown["meta"] == {"resourceType": "Schema", "location": f"../Schemas/{schema.id}"}
    renamed = from_document(shown | {"id": URN})
    assert (renamed.name, renamed.description, renamed.attributes) == (
        schema.name,
        schema.description,
        schema.attributes,
    )


def test_the_user_name_is_shown_as_rfc_7643_prints_it() -> None:
    shown = to_document(USER)["attributes"][0]
    assert shown == {
        "name": "userName",
        "type": "string",
        "multiValued": False,
        "description": "The unique identifier the user signs in with.",
        "required": True,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "server",
    }


@given(st.dictionaries(st.sampled_from(["name", "type", "subAttributes", "required", "returned", "x"]), any_json))
def test_any_attribute_document_is_read_or_refused_as_a_client_error(attribute: Json) -> None:
    try:
        schema = read({"name": "color"} | attribute)
    except InvalidValue:
        return
    assert from_document(to_document(schema)) == schema


def test_the_test_extension_survives_being_shown_and_read() -> None:
    assert from_document(to_document(BADGE)) == BADGE
