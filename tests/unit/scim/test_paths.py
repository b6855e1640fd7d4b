"""Paths of PATCH operations are resolved against the schemas, or refused with the path in the detail."""

import pytest

from scim_server.scim.characteristics import Schema
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidPath, InvalidValue
from scim_server.scim.filters.match import matches_element
from scim_server.scim.paths import MAX_LENGTH, Path, attributes_of, parse_path
from scim_server.scim.registry import AttributeRef, SchemaRegistry
from scim_server.scim.schemas.enterprise_user import ENTERPRISE_URN
from scim_server.scim.schemas.user import USER_URN

USER = SchemaRegistry.standard().user


def parse(text: str, *, strict: bool = False) -> Path:
    return parse_path(text, USER, Dialect(strict=strict))


def named(path: Path) -> tuple[str, str | None]:
    assert isinstance(path.reference, AttributeRef)
    return path.reference.path, path.sub.name if path.sub else None


@pytest.mark.parametrize(
    ("text", "attribute", "sub"),
    [
        ("userName", "userName", None),
        ("USERNAME", "userName", None),
        ("externalId", "externalId", None),
        ("name.familyname", "name", "familyName"),
        (f"{USER_URN}:displayName", "displayName", None),
        (f"{USER_URN.upper()}:name.givenName", "name", "givenName"),
        (f"{ENTERPRISE_URN}:department", f"{ENTERPRISE_URN}:department", None),
        (f"{ENTERPRISE_URN}:manager.value", f"{ENTERPRISE_URN}:manager", "value"),
        (f"{ENTERPRISE_URN}:manager.$ref", f"{ENTERPRISE_URN}:manager", "$ref"),
    ],
)
def test_names_resolve_without_case_and_with_or_without_urn(text: str, attribute: str, sub: str | None) -> None:
    assert named(parse(text, strict=True)) == (attribute, sub)


@pytest.mark.parametrize("text", ['emails[type eq "work"].Value', f'{USER_URN}:emails[type eq "work"].value'])
def test_a_filter_selects_elements_and_may_be_followed_by_a_sub_attribute(text: str) -> None:
    path = parse(text, strict=True)
    assert named(path) == ("emails", "value")
    assert path.element_filter is not None
    assert matches_element(path.element_filter, {"type": "Work"})
    assert not matches_element(path.element_filter, {"type": "home"})


def test_brackets_and_dots_inside_a_text_belong_to_the_filter() -> None:
    path = parse('emails[value eq "a].b[c"]')
    assert named(path) == ("emails", None)
    assert path.element_filter is not None
    assert matches_element(path.element_filter, {"value": "a].b[c"})


def test_the_urn_of_an_extension_alone_is_the_whole_extension() -> None:
    reference = parse(ENTERPRISE_URN.lower(), strict=True).reference
    assert isinstance(reference, Schema)
    assert reference.id == ENTERPRISE_URN


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [
        ("manager", Tolerance.UNQUALIFIED_EXTENSION_NAMES),
        ("department", Tolerance.UNQUALIFIED_EXTENSION_NAMES),
        (f"{ENTERPRISE_URN}.manager", Tolerance.DOTTED_URN),
    ],
)
def test_departures_are_noted_each_time_and_refused_when_strict(text: str, tolerance: Tolerance) -> None:
    for _ in range(2):
        dialect = Dialect()
        assert named(parse_path(text, USER, dialect))[0].startswith(ENTERPRISE_URN)
        assert dialect.applied == [tolerance]
    with pytest.raises(InvalidPath, match=text.rpartition(".")[2]):
        parse(text, strict=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not the path"),
        ("nosuch", "no such attribute"),
        ("name.nosuch", "no sub-attribute 'nosuch'"),
        ("name.givenName.x", "not the path"),
        ("user name", "not the path"),
        (".name", "not the path"),
        ("name.", "not the path"),
        ("emails[", "never closed"),
        ('emails[type eq "work"', "never closed"),
        ('emails[type eq "work"]value', "not the path"),
        ('emails[type eq "work"].value.x', "not the path"),
        ('emails[type eq "work"].nosuch', "no sub-attribute"),
        ('emails.value[type eq "work"]', "not the path"),
        ("emails[]", r"path 'emails\[\]'"),
        ("emails[type eq]", "path"),
        ('emails[nosuch eq "x"]', "nosuch"),
        ('name[givenName eq "x"]', "has one value"),
        ("urn:example:other:attribute", "schema that this resource type does not have"),
        (f"{ENTERPRISE_URN}:userName", "no such attribute"),
        (f"{ENTERPRISE_URN}:", "not the path"),
        (USER_URN, "no attribute"),
    ],
)
def test_a_path_that_means_nothing_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidPath, match=reason):
        parse(text)


def test_a_path_that_is_too_long_is_refused_and_shortened_in_the_detail() -> None:
    with pytest.raises(InvalidPath, match=str(MAX_LENGTH)) as refused:
        parse("x" * (MAX_LENGTH + 1))
    assert len(refused.value.detail) < 300


def test_equal_texts_of_different_resource_types_are_different_paths() -> None:
    group = SchemaRegistry.standard().group
    assert parse("displayName").reference is not parse_path("displayName", group, Dialect()).reference
    with pytest.raises(InvalidPath):
        parse_path("userName", group, Dialect())


def keys_of(value: object, *, strict: bool = False) -> list[tuple[str, str | None, object]]:
    return [(*named(path), item) for path, item in attributes_of(value, USER, Dialect(strict=strict))]


def test_a_value_without_path_names_attributes_and_extensions_as_objects() -> None:
    value = {"displayName": "M", "name": {"givenName": "G"}, ENTERPRISE_URN: {"department": "D", "manager": "id"}}
    assert keys_of(value, strict=True) == [
        ("displayName", None, "M"),
        ("name", None, {"givenName": "G"}),
        (f"{ENTERPRISE_URN}:department", None, "D"),
        (f"{ENTERPRISE_URN}:manager", None, "id"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name.givenName": "G"}, ("name", "givenName", "G")),
        ({f"{USER_URN}:displayName": "D"}, ("displayName", None, "D")),
        ({USER_URN: {"displayName": "D"}}, ("displayName", None, "D")),
        ({f"{ENTERPRISE_URN}:department": "D"}, (f"{ENTERPRISE_URN}:department", None, "D")),
        ({f"{ENTERPRISE_URN}:manager.value": "i"}, (f"{ENTERPRISE_URN}:manager", "value", "i")),
        ({ENTERPRISE_URN: {"manager.value": "i"}}, (f"{ENTERPRISE_URN}:manager", "value", "i")),
    ],
)
def test_qualified_and_dotted_keys_are_a_tolerance(value: object, expected: tuple[str, str | None, object]) -> None:
    dialect = Dialect()
    assert [(*named(path), item) for path, item in attributes_of(value, USER, dialect)] == [expected]
    assert dialect.applied == [Tolerance.QUALIFIED_KEYS]
    with pytest.raises(InvalidPath):
        keys_of(value, strict=True)


@pytest.mark.parametrize("key", ["nosuch", "name.nosuch", "urn:example:x", "", "a b", f"{ENTERPRISE_URN}:nosuch"])
def test_a_key_that_names_nothing_is_dropped_unless_strict(key: str) -> None:
    assert keys_of({key: 1, "title": "T"}) == [("title", None, "T")]
    with pytest.raises(InvalidPath):
        keys_of({key: 1}, strict=True)


@pytest.mark.parametrize("value", [None, "x", [], 5])
def test_a_value_without_path_has_to_be_an_object(value: object) -> None:
    with pytest.raises(InvalidValue, match="object"):
        attributes_of(value, USER, Dialect())
