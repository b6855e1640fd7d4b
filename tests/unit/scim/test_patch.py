"""PATCH by the rules of RFC 7644 section 3.5.2, and as provisioning clients send it."""

import copy
from time import process_time
from typing import Any

import pytest

from scim_server.scim import errors
from scim_server.scim.characteristics import Attribute, Mutability, Schema, Type
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidPath, InvalidSyntax, InvalidValue, NoTarget, ScimError
from scim_server.scim.multi_values import MAX_COMPARISONS
from scim_server.scim.patch import Operation, apply
from scim_server.scim.registry import ResourceType, SchemaRegistry
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.schemas.user import USER_URN

BADGE_URN = "urn:example:badge:2.0:User"
BADGE = Schema(
    BADGE_URN,
    "Badge",
    "A run-time extension",
    (
        Attribute("number", mutability=Mutability.IMMUTABLE),
        Attribute("colors", multi_valued=True),
        Attribute("printed", mutability=Mutability.READ_ONLY),
        Attribute(
            "doors",
            Type.COMPLEX,
            multi_valued=True,
            sub_attributes=(
                Attribute("value", mutability=Mutability.IMMUTABLE),
                Attribute("level", Type.INTEGER),
                Attribute("zone", required=True),
                Attribute("hours", multi_valued=True),
            ),
        ),
    ),
)
USER = SchemaRegistry.standard([BADGE]).user
UNSET = object()

WORK = {"value": "mira@fabrikam.test", "type": "work", "primary": True}
HOME = {"value": "mira@home.test", "type": "home"}
DOCUMENT: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN],
    "id": "7d3e",
    "externalId": "mira",
    "userName": "mira@fabrikam.test",
    "name": {"familyName": "Oduya", "givenName": "Mira"},
    "displayName": "Mira Oduya",
    "active": True,
    "emails": [WORK, HOME],
    ENTERPRISE_URN: {"department": "Quality", "manager": {"value": "m1", "$ref": "../Users/m1"}},
    "meta": {"resourceType": "User"},
}


def operation(op: str, path: str | None = None, value: object = UNSET) -> Operation:
    return Operation(op, path, None if value is UNSET else value, value is not UNSET)


def patched(*operations: Operation, strict: bool = False, document: dict[str, Any] | None = None) -> dict[str, Any]:
    source = copy.deepcopy(DOCUMENT if document is None else document)
    before = copy.deepcopy(source)
    try:
        return apply(source, operations, USER, Dialect(strict=strict))
    finally:
        assert source == before


def tolerances(*operations: Operation) -> list[Tolerance]:
    dialect = Dialect()
    apply(DOCUMENT, operations, USER, dialect)
    return dialect.applied


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**DOCUMENT, **changes}.items() if value is not None}


def enterprise(**changes: Any) -> dict[str, Any]:
    data = {name: value for name, value in {**DOCUMENT[ENTERPRISE_URN], **changes}.items() if value is not None}
    return changed(**{ENTERPRISE_URN: data})


# Single values


@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_single_value_is_set_whether_or_not_it_was_there(name: str) -> None:
    assert patched(operation(name, "displayName", "M"), strict=True) == changed(displayName="M")
    assert patched(operation(name, "title", "T"), strict=True) == changed(title="T")


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_an_unassigned_value_clears(empty: object) -> None:
    assert patched(operation("replace", "displayName", empty), strict=True) == changed(displayName=None)
    assert patched(operation("replace", "title", empty), strict=True) == DOCUMENT
    assert patched(operation("replace", "emails", empty), strict=True) == changed(emails=None)


def test_a_removed_single_value_is_gone_and_removing_it_again_succeeds() -> None:
    assert patched(operation("remove", "displayName"), strict=True) == changed(displayName=None)
    assert patched(operation("remove", "title"), strict=True) == DOCUMENT


@pytest.mark.parametrize("text", ["False", "false", "FALSE"])
def test_entra_disables_with_a_text(text: str) -> None:
    sent = operation("Replace", "active", text)
    assert patched(sent) == changed(active=False)
    assert tolerances(sent) == [Tolerance.OPERATION_NAME_CASE, Tolerance.TEXT_BOOLEAN]
    with pytest.raises(InvalidValue):
        patched(operation("replace", "active", text), strict=True)
    with pytest.raises(InvalidSyntax):
        patched(operation("Replace", "active", False), strict=True)


def test_a_value_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(InvalidValue, match="active"):
        patched(operation("replace", "active", "maybe"))
    with pytest.raises(InvalidValue, match="displayName"):
        patched(operation("add", "displayName", {"a": 1}))


def test_an_operation_that_changes_nothing_gives_an_equal_document() -> None:
    operations = (
        operation("replace", "active", True),
        operation("add", "emails", [WORK]),
        operation("replace", 'emails[type eq "home"].value', HOME["value"]),
        operation("replace", f"{ENTERPRISE_URN}:manager", {"value": "m1"}),
        operation("replace", None, {"name": {"givenName": "Mira"}}),
    )
    assert patched(*operations, strict=True) == DOCUMENT
    assert patched(strict=True) == DOCUMENT


def test_what_is_not_touched_is_shared_with_the_original() -> None:
    result = apply(DOCUMENT, [operation("replace", "active", False)], USER, Dialect())
    assert result["emails"] is DOCUMENT["emails"]
    assert result[ENTERPRISE_URN] is DOCUMENT[ENTERPRISE_URN]


# Complex values


@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_complex_value_is_merged_and_not_exchanged(name: str) -> None:
    expected = changed(name={"familyName": "Okafor", "givenName": "Mira"})
    assert patched(operation(name, "name", {"FamilyName": "Okafor"}), strict=True) == expected
    assert patched(operation(name, "name.familyName", "Okafor"), strict=True) == expected


def test_a_null_inside_an_object_clears_that_sub_attribute_only() -> None:
    expected = changed(name={"familyName": "Oduya"})
    assert patched(operation("replace", "name", {"givenName": None}), strict=True) == expected
    assert patched(operation("replace", None, {"name.givenName": ""})) == expected
    assert patched(operation("remove", "name.givenName"), strict=True) == expected


def test_a_complex_value_without_sub_attributes_is_gone() -> None:
    assert patched(operation("remove", "name.givenName"), operation("remove", "name.familyName")) == changed(name=None)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{ENTERPRISE_URN}:manager", "m2"),
        (f"{ENTERPRISE_URN}:manager", {"value": "m2"}),
        (f"{ENTERPRISE_URN}:manager.value", "m2"),
        (f"{ENTERPRISE_URN}.manager", "m2"),
        ("manager", [{"$ref": "https://scim.test/Users/m2", "value": "m2"}]),
        (None, {f"{ENTERPRISE_URN}:manager": "m2"}),
        (None, {ENTERPRISE_URN: {"manager": {"value": "m2"}}}),
        (ENTERPRISE_URN, {"manager": "m2"}),
    ],
)
@pytest.mark.parametrize("name", ["Add", "replace"])
def test_every_spelling_of_a_manager_means_the_manager(name: str, path: str | None, value: object) -> None:
    assert patched(operation(name, path, value)) == enterprise(manager={"value": "m2", "$ref": "../Users/m2"})


@pytest.mark.parametrize("empty", ["", None, {"value": ""}, {"value": None}, [], {}])
def test_an_empty_manager_removes_the_manager(empty: object) -> None:
    assert patched(operation("replace", "manager", empty)) == enterprise(manager=None)


def test_the_manager_is_removed_with_or_without_its_id() -> None:
    assert patched(operation("Remove", "manager")) == enterprise(manager=None)
    assert patched(operation("Remove", f"{ENTERPRISE_URN}:manager", "m1")) == enterprise(manager=None)


# Multi-valued attributes


def test_added_values_are_appended_and_none_is_there_twice() -> None:
    new = {"value": "mira@new.test", "type": "other"}
    assert patched(operation("add", "emails", [HOME, new, new]), strict=True) == changed(emails=[WORK, HOME, new])


def test_adding_a_value_again_with_other_labels_or_case_is_no_second_value() -> None:
    again = {"value": "MIRA@home.test", "type": "HOME", "display": "Mira at home"}
    assert patched(operation("add", "emails", [again])) == changed(
        emails=[WORK, {**HOME, "display": "Mira at home"}],
    )


def test_replace_exchanges_the_list() -> None:
    assert patched(operation("replace", "emails", [HOME]), strict=True) == changed(emails=[HOME])


@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_value_that_becomes_primary_is_the_only_one(name: str) -> None:
    now = {**WORK, "primary": False}
    assert patched(operation(name, 'emails[type eq "home"].primary', "True")) == changed(
        emails=[now, {**HOME, "primary": True}]
    )
    new = {"value": "mira@new.test", "primary": True}
    assert patched(operation("add", "emails", [new]), strict=True) == changed(emails=[now, HOME, new])


def test_several_values_cannot_become_primary_at_once() -> None:
    with pytest.raises(InvalidValue, match="primary"):
        patched(operation("replace", "emails[value pr].primary", True))
    with pytest.raises(InvalidValue, match="primary"):
        patched(operation("add", "emails", [{"value": "a", "primary": True}, {"value": "b", "primary": True}]))


@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_filtered_path_changes_all_values_that_match(name: str) -> None:
    document = changed(emails=[{"value": "a", "type": "work"}, {"value": "b", "type": "work"}, HOME])
    result = patched(operation(name, 'emails[type eq "work"].display', "D"), document=document, strict=True)
    assert result["emails"] == [
        {"value": "a", "type": "work", "display": "D"},
        {"value": "b", "type": "work", "display": "D"},
        HOME,
    ]
    result = patched(operation(name, 'emails[type eq "work"]', {"display": "D"}), document=document, strict=True)
    assert [email.get("display") for email in result["emails"]] == ["D", "D", None]


def test_values_that_become_equal_become_one() -> None:
    document = changed(emails=[{"value": "a", "type": "work"}, {"value": "b", "type": "work"}])
    result = patched(operation("replace", 'emails[type eq "work"].value', "c"), document=document)
    assert result["emails"] == [{"value": "c", "type": "work"}]


def test_a_sub_attribute_without_filter_is_set_in_all_values() -> None:
    assert [e["display"] for e in patched(operation("replace", "emails.display", "D"), strict=True)["emails"]] == [
        "D",
        "D",
    ]
    assert patched(operation("add", "photos.value", "https://x.test"), strict=True) == changed(
        photos=[{"value": "https://x.test"}]
    )


def test_several_values_for_one_filter_are_refused() -> None:
    with pytest.raises(InvalidValue, match="one value"):
        patched(operation("replace", 'emails[type eq "home"]', [{"value": "a"}, {"value": "b"}]))


@pytest.mark.parametrize("name", ["Add", "replace"])
def test_an_element_that_a_filter_describes_is_created_once_and_then_found(name: str) -> None:
    result = patched(
        operation(name, 'addresses[type eq "work"].locality', "Utrecht"),
        operation(name, 'addresses[type eq "work"].country', "NL"),
        operation(name, 'roles[primary eq "True"].value', "Admin"),
        operation(name, 'roles[primary eq "True"].display', "Administrator"),
        operation(name, 'ims[type eq "xmpp" and display eq "x"]', {"value": "mira"}),
    )
    assert result["addresses"] == [{"locality": "Utrecht", "country": "NL", "type": "work"}]
    assert result["roles"] == [{"value": "Admin", "display": "Administrator", "primary": True}]
    assert result["ims"] == [{"value": "mira", "display": "x", "type": "xmpp"}]


def test_creating_a_primary_element_clears_it_on_the_others() -> None:
    result = patched(operation("add", 'emails[type eq "other" and primary eq true].value', "n@x.test"))
    assert [email.get("primary") for email in result["emails"]] == [False, None, True]


@pytest.mark.parametrize("name", ["add", "replace"])
def test_a_strict_dialect_creates_no_element(name: str) -> None:
    with pytest.raises(NoTarget, match="phoneNumbers"):
        patched(operation(name, 'phoneNumbers[type eq "work"].value', "1"), strict=True)


@pytest.mark.parametrize("text", ['type eq "a" or type eq "b"', 'type sw "a"', 'not (type eq "work")', "type pr"])
def test_a_filter_that_describes_no_element_creates_none(text: str) -> None:
    with pytest.raises(NoTarget):
        patched(operation("add", f"phoneNumbers[{text}].value", "1"))


def test_a_filter_that_contradicts_itself_creates_no_element() -> None:
    with pytest.raises(NoTarget):
        patched(operation("add", 'phoneNumbers[type eq "a" and type eq "b"].value', "1"))


@pytest.mark.parametrize("empty", [None, ""])
def test_clearing_an_element_that_is_not_there_succeeds(empty: object) -> None:
    assert patched(operation("replace", 'phoneNumbers[type eq "work"].value', empty)) == DOCUMENT
    assert patched(operation("replace", 'phoneNumbers[type eq "work"]', empty)) == DOCUMENT


@pytest.mark.parametrize("empty", [None, ""])
def test_an_element_of_which_only_labels_are_left_is_gone(empty: object) -> None:
    assert patched(operation("replace", 'emails[type eq "work"].value', empty)) == changed(emails=[HOME])
    assert patched(operation("remove", 'emails[type eq "work"].value'), strict=True) == changed(emails=[HOME])


def test_an_element_that_still_says_something_stays() -> None:
    document = changed(addresses=[{"type": "work", "locality": "Utrecht", "country": "NL"}])
    result = patched(operation("replace", 'addresses[type eq "work"].country', ""), document=document)
    assert result["addresses"] == [{"locality": "Utrecht", "type": "work"}]


def test_remove_takes_out_all_or_the_matching_or_a_sub_attribute() -> None:
    assert patched(operation("remove", "emails"), strict=True) == changed(emails=None)
    assert patched(operation("remove", 'emails[type eq "home"]'), strict=True) == changed(emails=[WORK])
    assert patched(operation("remove", "emails[value pr]"), strict=True) == changed(emails=None)
    assert patched(operation("remove", "emails.type"), strict=True)["emails"] == [
        {"value": WORK["value"], "primary": True},
        {"value": HOME["value"]},
    ]


def test_removing_an_element_that_is_not_there_is_a_tolerance() -> None:
    sent = operation("remove", 'emails[type eq "other"]')
    assert patched(sent) == DOCUMENT
    assert tolerances(sent) == [Tolerance.REMOVE_MISSING_ELEMENT]
    with pytest.raises(NoTarget):
        patched(sent, strict=True)


@pytest.mark.parametrize(
    "value", [[{"value": "MIRA@home.test"}], {"value": "mira@home.test", "type": "home"}, "mira@home.test"]
)
def test_remove_with_a_value_takes_out_the_listed_only(value: object) -> None:
    sent = operation("Remove", "emails", value)
    assert patched(sent) == changed(emails=[WORK])
    assert Tolerance.REMOVE_WITH_VALUE in tolerances(sent)
    with pytest.raises(InvalidSyntax):
        patched(operation("remove", "emails", value), strict=True)


@pytest.mark.parametrize("value", [[], None, [{"value": "mira@home.test", "type": "work"}]])
def test_remove_with_an_empty_list_or_another_value_takes_out_nothing(value: object) -> None:
    assert patched(operation("remove", "emails", value)) == DOCUMENT


def test_roles_as_json_in_a_text_are_unpacked() -> None:
    value = [{"value": '{"id":"1","value":"Admin","displayName":"Administrator"}'}]
    assert patched(operation("Add", "roles", value))["roles"] == [{"value": "Admin", "display": "Administrator"}]


def test_values_of_a_simple_multi_valued_attribute_are_added_selected_and_removed() -> None:
    document = patched(operation("add", f"{BADGE_URN}:colors", ["red", "blue", "RED"]), strict=True)
    assert document[BADGE_URN] == {"colors": ["red", "blue"]}
    path = f'{BADGE_URN}:colors[value eq "red"]'
    assert patched(operation("replace", path, "green"), document=document)[BADGE_URN] == {"colors": ["green", "blue"]}
    assert patched(operation("remove", path), document=document)[BADGE_URN] == {"colors": ["blue"]}
    assert patched(operation("remove", f"{BADGE_URN}:colors", ["blue"]), document=document)[BADGE_URN] == {
        "colors": ["red"]
    }


def test_an_element_is_created_with_the_number_and_the_list_it_was_asked_for() -> None:
    path = f"{BADGE_URN}:doors"
    document = patched(operation("add", f"{path}[level eq 2.0]", {"zone": "z", "hours": ["8", "9"]}))
    assert document[BADGE_URN] == {"doors": [{"level": 2, "zone": "z", "hours": ["8", "9"]}]}
    assert type(document[BADGE_URN]["doors"][0]["level"]) is int
    again = operation("add", path, [{"level": 2, "zone": "z", "hours": ["8", "9"]}])
    assert patched(again, document=document) == document


# Values without a path, extensions and schemas


def test_a_value_without_path_sets_each_of_its_attributes() -> None:
    value = {
        "displayName": "Mira O.",
        "active": False,
        "name.familyName": "Okafor",
        f"{ENTERPRISE_URN}:employeeNumber": "EN-9",
    }
    result = patched(operation("replace", None, value))
    assert result == {
        **enterprise(employeeNumber="EN-9"),
        "displayName": "Mira O.",
        "active": False,
        "name": {"familyName": "Okafor", "givenName": "Mira"},
    }


def test_schemas_follow_the_extensions_that_come_and_go() -> None:
    without = patched(operation("remove", ENTERPRISE_URN), strict=True)
    assert without == {k: v for k, v in changed(schemas=[USER_URN]).items() if k != ENTERPRISE_URN}
    assert patched(operation("replace", None, {ENTERPRISE_URN: None})) == without
    assert patched(operation("remove", "department"), operation("remove", "manager")) == without
    again = patched(operation("add", "department", "D"), document=without)
    assert again["schemas"] == [USER_URN, ENTERPRISE_URN]
    assert again[ENTERPRISE_URN] == {"department": "D"}


def test_an_extension_that_comes_and_goes_in_one_request_leaves_nothing() -> None:
    path = f"{BADGE_URN}:colors"
    assert patched(operation("add", path, ["red"]), operation("remove", path), strict=True) == DOCUMENT


def test_what_the_server_sets_in_an_extension_is_ignored_inside_an_object() -> None:
    value = {"printed": "yes", "colors": ["red"]}
    for sent in (operation("add", BADGE_URN, value), operation("add", None, {BADGE_URN: value})):
        assert patched(sent)[BADGE_URN] == {"colors": ["red"]}
        with pytest.raises(errors.Mutability):
            patched(sent, strict=True)


def test_an_extension_has_to_be_an_object() -> None:
    with pytest.raises(InvalidValue, match="object"):
        patched(operation("replace", ENTERPRISE_URN, "x"))


def test_okta_repeats_the_id_and_read_only_attributes() -> None:
    value = {"id": "7d3e", "displayName": "N", "groups": [], "meta": {"version": "x"}, "schemas": ["urn:other"]}
    sent = operation("replace", None, value)
    assert patched(sent) == changed(displayName="N")
    assert tolerances(sent) == [Tolerance.OWN_ID_IN_VALUE, Tolerance.READ_ONLY_IN_VALUE]
    with pytest.raises(errors.Mutability):
        patched(operation("replace", None, {"id": "7d3e"}), strict=True)


def test_another_id_is_refused() -> None:
    with pytest.raises(errors.Mutability, match="id"):
        patched(operation("replace", None, {"id": "other", "displayName": "N"}))


def test_an_unknown_key_is_dropped_and_an_unknown_path_refused() -> None:
    assert patched(operation("replace", None, {"nosuch": 1, "active": False})) == changed(active=False)
    with pytest.raises(InvalidPath, match="nosuch"):
        patched(operation("replace", "nosuch", 1))


def test_a_password_is_checked_and_discarded() -> None:
    assert patched(operation("replace", "password", "secret"), operation("add", None, {"password": "s"})) == DOCUMENT
    with pytest.raises(InvalidValue) as refused:
        patched(operation("replace", "password", {"s3cret": 1}))
    assert "s3cret" not in refused.value.detail


# What may not change


@pytest.mark.parametrize(
    "path", ["id", "meta", "meta.created", "groups", 'groups[value eq "1"]', "manager.displayName"]
)
@pytest.mark.parametrize("name", ["add", "replace", "remove"])
def test_a_path_to_what_the_server_sets_is_refused(name: str, path: str) -> None:
    with pytest.raises(errors.Mutability):
        patched(operation(name, path, "x"))


def test_the_path_schemas_is_ignored_and_cannot_be_removed() -> None:
    assert patched(operation("replace", "schemas", [USER_URN]), operation("add", "schemas", "x")) == DOCUMENT
    with pytest.raises(errors.Mutability):
        patched(operation("remove", "schemas"))


def test_a_required_attribute_keeps_a_value() -> None:
    with pytest.raises(errors.Mutability, match="userName"):
        patched(operation("remove", "userName"))
    for empty in (None, "", []):
        with pytest.raises(InvalidValue, match="userName"):
            patched(operation("replace", "userName", empty))


def test_a_document_that_lacks_a_required_value_since_earlier_can_still_be_changed() -> None:
    document = changed(userName=None)
    assert patched(operation("replace", "active", False), document=document) == changed(userName=None, active=False)


def test_an_immutable_attribute_is_set_once() -> None:
    path = f"{BADGE_URN}:number"
    document = patched(operation("add", path, "7"), strict=True)
    assert patched(operation("replace", path, "7"), document=document) == document
    for attempt in (operation("replace", path, "8"), operation("remove", path), operation("remove", BADGE_URN)):
        with pytest.raises(errors.Mutability, match="number"):
            patched(attempt, document=document)


def test_sub_attributes_that_are_immutable_or_required_keep_their_value() -> None:
    path = f"{BADGE_URN}:doors"
    document = patched(operation("add", path, [{"value": "d1", "level": 1, "zone": "z"}]), strict=True)
    selected = f'{path}[value eq "d1"]'
    assert patched(operation("replace", f"{selected}.level", 2), document=document)[BADGE_URN] == {
        "doors": [{"value": "d1", "level": 2, "zone": "z"}]
    }
    with pytest.raises(errors.Mutability, match="immutable"):
        patched(operation("replace", f"{selected}.value", "d2"), document=document)
    with pytest.raises(errors.Mutability, match="zone"):
        patched(operation("remove", f"{selected}.zone"), document=document)
    with pytest.raises(InvalidValue, match="zone"):
        patched(operation("add", path, [{"value": "d2"}]), document=document)


# The message


def test_one_bad_operation_of_many_undoes_all() -> None:
    document = copy.deepcopy(DOCUMENT)
    operations = [operation("replace", "displayName", "N"), operation("add", "nosuch", 1)]
    with pytest.raises(InvalidPath):
        apply(document, operations, USER, Dialect())
    assert document == DOCUMENT


def test_messages_that_are_no_operation_are_refused() -> None:
    for bad, error in (
        (operation("move", "title", "x"), InvalidSyntax),
        (operation("remove"), NoTarget),
        (operation("remove", None, {"title": None}), NoTarget),
        (operation("add", "title"), InvalidValue),
        (operation("replace", None, "x"), InvalidValue),
    ):
        with pytest.raises(error):
            patched(bad)


def test_every_error_is_of_status_400() -> None:
    for bad in (operation("move"), operation("remove"), operation("add", "id", 1), operation("add", "x", 1)):
        with pytest.raises(ScimError) as refused:
            patched(bad)
        assert refused.value.status == 400


# Size


def seconds_for(operations: list[Operation], resource_type: ResourceType = USER) -> float:
    start = process_time()
    apply(DOCUMENT, operations, resource_type, Dialect())
    return process_time() - start


def test_ten_thousand_operations_are_applied_in_linear_time() -> None:
    def adding(count: int) -> list[Operation]:
        return [operation("add", "emails", [{"value": f"{number}@x.test"}]) for number in range(count)]

    seconds_for(adding(100))
    few, many = seconds_for(adding(1_000)), seconds_for(adding(10_000))
    assert many < 40 * few


def test_operations_that_would_compare_too_many_values_are_refused() -> None:
    count = int(MAX_COMPARISONS**0.5)
    values = [{"value": f"{number}@x.test"} for number in range(count)]
    selecting = [operation("remove", 'emails[value eq "none"]') for _ in range(count)]
    with pytest.raises(InvalidValue, match="too many"):
        patched(operation("add", "emails", values), *selecting)
