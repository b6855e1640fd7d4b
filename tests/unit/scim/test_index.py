"""The comparison form of values keeps their order and equality; a document gives the rows filters look for."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.keys import fold
from scim_server.scim.characteristics import Attribute, Schema, Type
from scim_server.scim.filters.operands import instant
from scim_server.scim.index import HEAD, MAX_ELEMENTS, index_key, index_rows, split_key
from scim_server.scim.registry import AttributeRef, SchemaRegistry
from scim_server.store.filter_operators import HIGHEST, successor

USER = SchemaRegistry.standard().user
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

NUMBER = Attribute("number", Type.DECIMAL)
MOMENT = Attribute("moment", Type.DATE_TIME)
TEXT = Attribute("text")
EXACT = Attribute("exact", case_exact=True)
characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def sign(left: Any, right: Any) -> int:
    return (left > right) - (left < right)


@given(
    st.lists(
        st.one_of(
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False, allow_infinity=False),
            st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20), max_value=10**20),
        ),
        min_size=2,
        max_size=2,
    )
)
def test_numbers_sort_as_numbers(pair: list[float]) -> None:
    left, right = pair
    assert sign(index_key(NUMBER, left), index_key(NUMBER, right)) == sign(Decimal(str(left)), Decimal(str(right)))
    assert len(index_key(NUMBER, left)) <= HEAD


moments = st.builds(
    lambda moment, fraction, offset: moment.isoformat(timespec="seconds") + fraction + offset,
    st.datetimes(),
    st.sampled_from(["", ".1", ".100", ".000000001", ".999999999"]),
    st.sampled_from(["", "Z", "z", "+14:00", "-12:30"]),
)


@given(moments, moments)
def test_times_sort_as_moments(left: str, right: str) -> None:
    assert sign(index_key(MOMENT, left), index_key(MOMENT, right)) == sign(instant(left), instant(right))


def test_one_moment_has_one_key_however_it_is_written() -> None:
    keys = {
        index_key(MOMENT, text)
        for text in ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2025-12-31T14:00:00.0-10:00")
    }
    assert keys == {"2026-01-01T00:00:00.000000000Z"}
    assert index_key(MOMENT, "2016-12-31T23:59:60Z") == index_key(MOMENT, "2017-01-01T00:00:00Z")


@given(characters, characters)
def test_heads_and_tails_sort_as_the_whole_texts(left: str, right: str) -> None:
    for attribute, form in ((TEXT, fold), (EXACT, str)):
        keys = [index_key(attribute, text) for text in (left, right)]
        assert sign(*(split_key(key) for key in keys)) == sign(form(left), form(right))
    head, tail = split_key(form(left))
    assert head + tail == form(left)
    assert len(head) <= HEAD


@given(characters, characters)
def test_a_prefix_is_a_range_of_heads(prefix: str, text: str) -> None:
    head = prefix[:HEAD]
    assert (head <= text[:HEAD] < successor(head)) is text[:HEAD].startswith(head)
    assert head <= (head + text)[:HEAD] < successor(head)
    assert text[:HEAD] < HIGHEST


def test_a_prefix_that_ends_before_the_surrogates_has_a_successor_that_can_be_stored() -> None:
    assert successor("a\ud7ff") == "a\ue000"
    assert successor("a\U0010ffff") == "b"
    assert successor("\U0010ffff") == HIGHEST
    assert successor("") == HIGHEST


def rows_of(document: dict[str, Any], path: str, registry: SchemaRegistry | None = None) -> set[tuple[int, str, str]]:
    """(element, head, tail) of the rows of one attribute."""
    resource_type = registry.user if registry else USER
    name, _, sub = path.rpartition("/")[2].partition(".")
    ref = resource_type.find(name, urn=path.rpartition("/")[0] or None, sub=sub or None)
    assert ref
    return {row[1:] for row in index_rows(document, resource_type) if row[0] == ref.number}


def test_every_value_has_a_row() -> None:
    document = {
        "schemas": [USER.core.id, ENTERPRISE],
        "id": "7",
        "externalId": "Ext",
        "userName": "MIRA",
        "active": True,
        "name": {"givenName": "Mira"},
        "emails": [{"value": "A@B", "type": "Work", "primary": True}, {"value": "c@d"}],
        "password": "secret",
        "title": "X" * 200,
        ENTERPRISE: {"department": "Quality", "manager": {"value": "Y", "$ref": "https://host.example/Users/Y"}},
        "meta": {"resourceType": "User", "created": "2026-01-01T00:00:00Z"},
        "members": [{"value": "1"}],
        "groups": [{"value": "2"}],
    }
    assert rows_of(document, "userName") == {(0, "mira", "")}
    assert rows_of(document, "externalId") == {(0, "Ext", "")}
    assert rows_of(document, "active") == {(0, "1", "")}
    assert rows_of(document, "name.givenName") == {(0, "mira", "")}
    assert rows_of(document, "schemas") == {(0, USER.core.id, ""), (1, ENTERPRISE, "")}
    assert rows_of(document, "emails") == {(0, "", ""), (1, "", "")}
    assert rows_of(document, "emails.value") == {(0, "a@b", ""), (1, "c@d", "")}
    assert rows_of(document, "emails.type") == {(0, "work", "")}
    assert rows_of(document, "emails.primary") == {(0, "1", "")}
    assert rows_of(document, "title") == {(0, "x" * 128, "x" * 72)}
    assert rows_of(document, f"{ENTERPRISE}/department") == {(0, "quality", "")}
    assert rows_of(document, f"{ENTERPRISE}/manager.value") == {(0, "Y", "")}
    assert rows_of(document, f"{ENTERPRISE}/manager.$ref") == {(0, "../Users/Y", "")}


@pytest.mark.parametrize("name", ["id", "meta", "password", "groups"])
def test_columns_relations_and_secrets_have_no_rows(name: str) -> None:
    assert index_rows({name: [{"value": "x"}] if name == "groups" else "x"}, USER) == set()


def test_an_attribute_added_at_run_time_is_indexed_by_its_type() -> None:
    urn = "urn:example:badge"
    schema = Schema(urn, "Badge", "", (Attribute("level", Type.INTEGER), Attribute("doors", multi_valued=True)))
    registry = SchemaRegistry.standard([schema])
    document = {urn: {"level": 10, "doors": ["A", "b"], "unknown": 1}}
    assert rows_of(document, f"{urn}/doors", registry) == {(0, "a", ""), (1, "b", "")}
    assert {head for _, head, _ in rows_of(document, f"{urn}/level", registry)} > set()
    assert index_key(schema.attributes[0], 9) < index_key(schema.attributes[0], 10)
    assert AttributeRef(urn, schema.attributes[0]).number in {row[0] for row in index_rows(document, registry.user)}


def test_elements_past_the_largest_number_are_left_out() -> None:
    document = {"emails": [{"value": f"{n}@x"} for n in range(MAX_ELEMENTS + 5)]}
    assert max(row[1] for row in index_rows(document, USER)) == MAX_ELEMENTS - 1
