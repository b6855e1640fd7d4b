"""Flat attributes and the comparison of values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.attributes import differences, flat_differences, flatten, same, unflatten

URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MANAGER = {"value": "26118915", "displayName": "Bo"}
ANN = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", URN],
    "id": "2819c223",
    "userName": "ann",
    "name": {"givenName": "Ann", "familyName": "Lee"},
    "active": True,
    "emails": [{"value": "ann@contoso.com", "type": "work"}],
    URN: {"department": "Sales", "manager": MANAGER},
    "meta": {"version": 'W/"3"'},
}
FLAT = {
    "userName": "ann",
    "name.givenName": "Ann",
    "name.familyName": "Lee",
    "active": True,
    "emails": [{"value": "ann@contoso.com", "type": "work"}],
    f"{URN}:department": "Sales",
    f"{URN}:manager": MANAGER,
}


def test_complex_attributes_and_extensions_flatten_by_one_level_and_lists_stay_whole() -> None:
    assert flatten(ANN) == FLAT


def test_unflatten_restores_the_document_without_what_the_server_computes() -> None:
    assert unflatten(FLAT) == {name: value for name, value in ANN.items() if name not in ("schemas", "id", "meta")}


def test_none_is_kept_as_has_no_value_when_flat_and_left_out_of_the_document() -> None:
    assert flatten({"title": None, "name": {"givenName": None}}) == {"title": None, "name.givenName": None}
    assert unflatten({"title": None, "name.givenName": None, f"{URN}:department": None}) == {}


NAMES = st.sampled_from(["userName", "title", "nickName"])
INNER = st.dictionaries(st.sampled_from(["givenName", "familyName", "department"]), st.text(), min_size=1)


@given(st.dictionaries(NAMES, st.text()), st.dictionaries(st.sampled_from(["name", URN, "urn:x:y:2.0:User"]), INNER))
def test_flatten_and_unflatten_are_inverse(simple: dict[str, str], nested: dict[str, dict[str, str]]) -> None:
    document = {**simple, **nested}
    assert unflatten(flatten(document)) == document


def test_differences_name_each_changed_attribute_with_both_values() -> None:
    after = {**ANN, "name": {"givenName": "Anna"}, "title": "Dr", URN: {"manager": MANAGER}, "meta": {}}
    assert differences(ANN, after) == {
        "name.givenName": ("Ann", "Anna"),
        "name.familyName": ("Lee", None),
        "title": (None, "Dr"),
        f"{URN}:department": ("Sales", None),
    }
    assert differences(ANN, ANN) == {}


def test_a_push_is_compared_exactly_and_a_pull_by_meaning() -> None:
    before, after = {"title": "Dr", "active": True}, {"title": " Dr ", "active": 1}
    assert flat_differences(before, after) == {"title": ("Dr", " Dr "), "active": (True, 1)}
    assert flat_differences({"title": "Dr"}, {"title": " Dr "}, canonical=True) == {}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("title", "Dr", " Dr "),
        ("title", None, ""),
        ("emails", None, []),
        ("emails", [{}], None),
        ("emails", [{"value": "a"}, {"value": "b"}], [{"value": "b"}, {"value": "a", "primary": False}]),
        ("phoneNumbers", [{"value": "+49 (30) 12-34"}], [{"value": "+49301234"}]),
        ("phoneNumbers", [{"value": "tel:+49-30-1234", "type": "work"}], [{"type": "work", "value": "4930 1234"}]),
        (f"{URN}:manager", {"value": "1", "displayName": None}, {"value": "1"}),
    ],
)
def test_a_value_written_in_another_way_is_the_same(name: str, old: object, new: object) -> None:
    assert same(old, new, name)
    assert same(new, old, name)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("userName", "ann", "Ann"),
        ("title", "Dr", "D r"),
        ("active", True, False),
        ("active", True, 1),
        ("emails", [{"value": "a"}], [{"value": "a", "primary": True}]),
        ("emails", [{"value": "12"}], [{"value": "1-2"}]),
        ("phoneNumbers", [{"value": "none"}], [{"value": "unknown"}]),
        ("phoneNumbers", [{"value": "12", "type": "work"}], [{"value": "12", "type": "home"}]),
    ],
)
def test_a_value_with_another_meaning_differs(name: str, old: object, new: object) -> None:
    assert not same(old, new, name)
