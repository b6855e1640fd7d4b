"""The mapping language: what each expression yields, and what is refused with which words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.expression_syntax import MAX_LENGTH, parse_expression
from connectors.mapping import ENTERPRISE_URN, MappingError, parse_mapping

SOURCE = {
    "upn": ["ann@x.test"],
    "given": ["Ann"],
    "sn": ["Lee"],
    "none": [],
    "blank": [""],
    "kind": ["E"],
    "proxies": ["SMTP:main@x.test", "smtp:one@x.test", "smtp:two@x.test", "smtp:"],
    "padded": ["  x  "],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("upn", ["ann@x.test"]),
        ("none", []),
        ("blank", []),
        ({"attribute": "proxies", "prefix": "smtp:"}, ["one@x.test", "two@x.test"]),
        ({"constant": "fixed"}, ["fixed"]),
        ({"first": ["none", "blank", "given", "sn"]}, ["Ann"]),
        ({"first": ["none", "blank"]}, []),
        ({"template": "{sn}, {given}"}, ["Lee, Ann"]),
        ({"template": "{sn}, {none}"}, []),
        ({"join": ["given", "none", "sn"], "separator": " "}, ["Ann Lee"]),
        ({"join": ["none", "blank"]}, []),
        ({"lower": "given"}, ["ann"]),
        ({"upper": "given"}, ["ANN"]),
        ({"trim": "padded"}, ["x"]),
        ({"replace": "upn", "text": "@x.test", "with": "@y.test"}, ["ann@y.test"]),
        ({"replace": "given", "text": "Ann"}, []),
        ({"before": "@", "of": "upn"}, ["ann"]),
        ({"after": "@", "of": "upn"}, ["x.test"]),
        ({"after": "#", "of": "upn"}, []),
        ({"match": "kind", "table": {"e": "Employee"}}, ["Employee"]),
        ({"match": "sn", "table": {"e": "Employee"}, "otherwise": {"constant": "Other"}}, ["Other"]),
        ({"match": "sn", "table": {}}, []),
        ({"upper": {"before": "@", "of": {"first": ["none", "upn"]}}}, ["ANN"]),
    ],
)
def test_an_expression_yields(expression: Any, expected: list[str]) -> None:
    assert list(parse_expression(expression, "here").values(SOURCE)) == expected


@pytest.mark.parametrize(
    ("mapping", "where", "problem"),
    [
        ([], "mapping", "JSON object"),
        ({}, "userName", "must be mapped"),
        ({"userName": "upn", "emials": "mail"}, "emials", "is not a target"),
        ({"userName": "upn", "active": "flag"}, "active", "directory's own flag"),
        ({"userName": "upn", "password": "x"}, "password", "never read"),
        ({"userName": "upn", f"{ENTERPRISE_URN}:manager": "x"}, f"{ENTERPRISE_URN}:manager", "directory's link"),
        ({"userName": "upn", "urn:x": "x"}, "urn:x", "URN of an extension"),
        ({"userName": {"frist": ["a"]}}, "userName", "exactly one function"),
        ({"userName": {"lower": "a", "upper": "b"}}, "userName", "exactly one function"),
        ({"userName": {"lower": "a", "text": "b"}}, "userName", "does not take 'text'"),
        ({"userName": {"first": []}}, "userName.first", "at least one"),
        ({"userName": {"first": ["a", 7]}}, "userName.first[1]", "attribute name"),
        ({"userName": "not a name"}, "userName", "is not an attribute name"),
        ({"userName": {"template": "no braces"}}, "userName.template", "names no attribute"),
        ({"userName": {"template": "{no name}"}}, "userName.template", "is not an attribute name"),
        ({"userName": {"replace": "a", "text": ""}}, "userName", "must not be empty"),
        ({"userName": {"match": "a", "table": {"x": 1}}}, "userName", "object of texts"),
        ({"userName": {"before": "@"}}, "userName.of", "attribute name"),
        ({"userName": "upn", "emails": "mail"}, "emails", "list of elements"),
        ({"userName": "upn", "emails": ["mail"]}, "emails[0]", "must be an object"),
        ({"userName": "upn", "emails": [{"type": "work"}]}, "emails[0]", "needs a value"),
        ({"userName": "upn", "emails": [{"value": "mail", "primary": "yes"}]}, "emails[0]", "true or false"),
        ({"userName": "upn", "emails": [{"value": "mail", "kind": "x"}]}, "emails[0]", "does not know kind"),
        ({"userName": "upn", "emails": [{"value": {"uper": "mail"}}]}, "emails[0].value", "exactly one function"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(mapping: Any, where: str, problem: str) -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(mapping)
    assert refused.value.where == where
    assert problem in refused.value.problem


def test_nesting_is_limited() -> None:
    deep: Any = "upn"
    for _ in range(20):
        deep = {"lower": deep}
    with pytest.raises(MappingError, match="nested deeper"):
        parse_mapping({"userName": deep})


def test_a_text_cannot_grow_without_end() -> None:
    grown: Any = "given"
    for _ in range(7):
        grown = {"replace": grown, "text": "n", "with": "nnnnnnnnnn"}
    (text,) = parse_expression(grown, "here").values(SOURCE)
    assert len(text) <= MAX_LENGTH


def test_a_mapping_given_replaces_single_targets_of_the_default_and_null_removes() -> None:
    mapping = parse_mapping({"title": None, "nickName": "given"}, {"userName": "upn", "title": "sn"})
    assert mapping.apply(SOURCE) == {"userName": "ann@x.test", "nickName": "Ann"}
    assert mapping.attributes == {"upn", "given"}


def test_what_has_no_value_is_told_as_none() -> None:
    mapping = parse_mapping(
        {
            "userName": "upn",
            "title": "none",
            "name.givenName": "none",
            "name.familyName": "blank",
            "emails": [{"value": "none"}],
            f"{ENTERPRISE_URN}:department": "none",
        }
    )
    assert mapping.apply(SOURCE) == {
        "userName": "ann@x.test",
        "title": None,
        "name": None,
        "emails": None,
        ENTERPRISE_URN: {"department": None},
    }


def test_what_the_source_does_not_tell_is_left_out() -> None:
    mapping = parse_mapping(
        {
            "userName": "untold",
            "title": {"first": ["none", "untold", "sn"]},
            "displayName": {"first": ["given", "untold"]},
            "name.givenName": "given",
            "name.familyName": "untold",
            "emails": [{"value": "upn"}, {"value": "untold"}],
            f"{ENTERPRISE_URN}:department": "untold",
        }
    )
    assert mapping.apply(SOURCE) == {"displayName": "Ann", "name": {"givenName": "Ann"}}


def test_an_address_is_listed_once_and_a_number_once_for_each_type() -> None:
    mapping = parse_mapping(
        {
            "userName": "upn",
            "emails": [
                {"value": "upn", "type": "work", "primary": True},
                {"value": {"upper": "upn"}, "type": "other"},
                {"value": {"attribute": "proxies", "prefix": "smtp:"}, "type": "other", "primary": True},
            ],
            "phoneNumbers": [{"value": "sn", "type": "work"}, {"value": "sn", "type": "mobile"}],
        }
    )
    document = mapping.apply(SOURCE)
    assert document["emails"] == [
        {"value": "ann@x.test", "type": "work", "primary": True},
        {"value": "one@x.test", "type": "other"},
        {"value": "two@x.test", "type": "other"},
    ]
    assert document["phoneNumbers"] == [{"value": "Lee", "type": "work"}, {"value": "Lee", "type": "mobile"}]


def test_an_address_of_parts_needs_no_value() -> None:
    mapping = parse_mapping(
        {"userName": "upn", "addresses": [{"streetAddress": "given", "locality": "none", "type": "work"}]}
    )
    assert mapping.apply(SOURCE)["addresses"] == [{"streetAddress": "Ann", "type": "work"}]


def test_a_mapping_describes_itself_to_people() -> None:
    mapping = parse_mapping(
        {
            "userName": {"first": ["upn", {"template": "{domain}\\{sam}"}]},
            "emails": [{"value": {"attribute": "proxies", "prefix": "smtp:"}, "type": "work", "primary": True}],
            "userType": {"match": "kind", "table": {"E": "Employee"}, "otherwise": {"constant": "Other"}},
        }
    )
    assert mapping.describe() == [
        ("userName", 'upn, else "{domain}\\{sam}"'),
        ("emails", "proxies beginning with smtp: (work, primary)"),
        ("userType", 'kind by table (e = Employee; else "Other")'),
    ]


def test_the_fingerprint_follows_the_content_and_not_the_order() -> None:
    one = parse_mapping({"userName": "upn", "title": "sn"})
    same = parse_mapping({"title": "sn"}, {"userName": "upn"})
    other = parse_mapping({"userName": "upn", "title": "given"})
    assert one.fingerprint == same.fingerprint != other.fingerprint


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["first", "join", "lower", "template", "match", "table", "value", "type", "of", "text"])
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["userName", "emails", "title", "urn:a:b:c"]), json_values))
def test_any_json_is_either_a_mapping_or_refused_in_words(data: dict[str, Any]) -> None:
    try:
        mapping = parse_mapping(data)
    except MappingError as refused:
        reason = refused
    else:
        reason = None
    if reason:
        assert str(reason) == f"{reason.where}: {reason.problem}"
        return
    document = mapping.apply({name: ["value"] for name in mapping.attributes})
    json.dumps(document)
    assert mapping.describe()
