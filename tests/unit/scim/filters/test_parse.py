"""Filter text becomes the tree it means, or an InvalidFilter that says what is wrong."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters.parse import UnknownAttribute, parse_attribute, parse_filter, parse_value_filter
from scim_server.scim.filters.tokens import shape, tokens
from scim_server.scim.filters.tree import NEVER, And, Comparison, Node, Not, Operator, Or, Present, ValuePath
from scim_server.scim.registry import SchemaRegistry

REGISTRY = SchemaRegistry.standard()
USER, GROUP = REGISTRY.user, REGISTRY.group
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def shown(node: Node) -> str:
    """A tree as text with every operand in parentheses."""
    match node:
        case And(terms):
            return "(" + " & ".join(map(shown, terms)) + ")"
        case Or(terms):
            return "(" + " | ".join(map(shown, terms)) + ")"
        case Not(term):
            return f"!{shown(term)}"
        case Present(ref):
            return f"{ref.path}?"
        case Comparison(ref, op, literal):
            return f"{ref.path} {op} {literal.value!r}"
        case ValuePath(ref, inner):
            return f"{ref.path}[{shown(inner)}]"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('userName eq "a" or title pr and active eq true', "(userName eq 'a' | (title? & active eq True))"),
        ("title pr and not (nickName pr or locale pr)", "(title? & !(nickName? | locale?))"),
        ('(title pr or locale pr) and userName eq "a"', "((title? | locale?) & userName eq 'a')"),
        ("title pr and locale pr and timezone pr", "(title? & locale? & timezone?)"),
        ("not (not (title pr))", "title?"),
        ('USERNAME EQ "a" OR Title PR', "(userName eq 'a' | title?)"),
        ('userName ne "a"', "!userName eq 'a'"),
        ("title eq null", "!title?"),
        ("title ne null", "title?"),
        ('emails eq "x"', "emails.value eq 'x'"),
        ("emails pr", "emails?"),
        ('manager eq "Y"', f"{ENTERPRISE}:manager.value eq 'Y'"),
        ('department eq "Y"', f"{ENTERPRISE}:department eq 'Y'"),
        (f'{ENTERPRISE.upper()}:manager.displayName sw "Y"', f"{ENTERPRISE}:manager.displayName sw 'Y'"),
        ('urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"]', "emails[emails.type eq 'work']"),
        ('emails[type eq "work"].value eq "x"', "emails[(emails.type eq 'work' & emails.value eq 'x')]"),
        ('emails[type eq "work"].value ne "x"', "!emails[(emails.type eq 'work' & emails.value eq 'x')]"),
        ('emails[type eq "work"].value pr', "emails[(emails.type eq 'work' & emails.value?)]"),
        ('emails[type eq "a" or primary eq true and value pr]', None),
        ('roles[primary eq "True"]', "roles[roles.primary eq True]"),
        ("active eq False", "active eq False"),
        ('schemas eq "urn:x"', "schemas eq 'urn:x'"),
        ('schemas[value sw "urn:x"]', "schemas[schemas sw 'urn:x']"),
        ('userName eq "caf\\u00e9 \\"q\\" \\\\ \\ud83d\\ude00"', "userName eq 'café \"q\" \\\\ 😀'"),
        ('meta.lastModified gt "2026-01-01T00:00:00.0000000Z"', "meta.lastModified gt '2026-01-01T00:00:00.0000000Z'"),
        ('id eq "1" and externalId eq "2"', "(id eq '1' & externalId eq '2')"),
        ('manager.$ref ew "x"', f"{ENTERPRISE}:manager.$ref ew 'x'"),
        ('userName\teq  "a"', "userName eq 'a'"),
    ],
)
def test_a_filter_becomes_the_tree_it_means(text: str, meaning: str | None) -> None:
    expected = meaning or "emails[(emails.type eq 'a' | (emails.primary eq True & emails.value?))]"
    assert shown(parse_filter(text, USER)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('nosuch eq "x"', "'nosuch' does not exist in resource type User"),
        ('nosuch eq "x" and userName eq "a"', "'nosuch'"),
        ('name.nosuch eq "x"', "'name.nosuch'"),
        ('urn:none:of:ours:User:userName eq "x"', "'urn:none:of:ours:User:userName'"),
        ('emails[nosuch eq "x"]', "'nosuch' does not exist in emails"),
        ('password eq "x"', "'password' does not exist"),
        ("password pr", "'password' does not exist"),
        ("userName eq bjensen", "value (a text in double quotes) at position 13"),
        ('userName regex "x"', "'regex' at position 10"),
        ("userName", "expected an operator"),
        ("userName eq", "expected a value"),
        ('userName eq "x', "not closed"),
        ('userName eq "a\nb"', "not closed, or holds a control character"),
        ('userName eq "\\x41"', "unknown escape"),
        ('userName eq "\\ud800"', "cannot be stored"),
        ('userName eq "\\u0000"', "cannot be stored"),
        ('userName eq "\ud800"', "cannot be stored"),
        ("userName eq 5", "compared with a text in double quotes"),
        ("userName eq true", "compared with a text in double quotes"),
        ("active gt true", "gt does not apply to active"),
        ('active co "t"', "co does not apply to active"),
        ('active eq "maybe"', "true or false"),
        ("active eq 1", "true or false"),
        ("userName gt null", "null at position 13"),
        ('x509Certificates.value gt "A"', "gt does not apply"),
        ('meta.created eq "yesterday"', "date and time"),
        ('meta.created eq "2026-02-30T00:00:00Z"', "date and time"),
        ('meta.created sw "2026"', "sw does not apply"),
        ('name eq "x"', "name the sub-attribute"),
        ('addresses eq "x"', "name the sub-attribute"),
        ('name[familyName eq "x"]', "not multi-valued"),
        ('userName[value eq "x"]', "not multi-valued"),
        ('emails.type[value eq "x"]', "attribute[...]"),
        ('emails[emails.type eq "x"]', "plain names"),
        ('emails[type eq "x"][value eq "y"]', "attribute[...]"),
        ('emails[value[type eq "x"]]', "neither nested"),
        ('emails[type eq "work"', "ends too early"),
        ('emails[type eq "work"] eq "x"', "Unexpected 'eq'"),
        ('userName eq "a" title pr', "expected and, or"),
        ('userName eq "a" and', "expected an attribute"),
        ("and title pr", "Unexpected 'and' at position 1"),
        ("(title pr", "ends too early"),
        ("title pr)", "Unexpected ')' at position 9"),
        ('not userName eq "a"', "expected ("),
        ("name .familyName pr", "Unexpected '.familyName'"),
        ("userName = 'a'", "Unexpected character '='"),
        ("title\npr", "Unexpected character"),
        ('"userName" eq "a"', "expected an attribute"),
        ("()", "Unexpected ')'"),
    ],
)
def test_what_is_wrong_is_said_in_words(text: str, said: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        parse_filter(text, USER)
    assert said in refused.value.detail
    assert refused.value.scim_type == "invalidFilter"


def test_an_unknown_attribute_can_be_told_from_other_errors() -> None:
    with pytest.raises(UnknownAttribute):
        parse_filter('userName eq "x"', GROUP)


def test_an_attribute_of_the_other_type_counts_as_unassigned() -> None:
    assert parse_filter('userName eq "x"', GROUP, others=[USER]) == NEVER
    assert parse_filter('userName ne "x"', GROUP, others=[USER]) == Not(NEVER)
    assert parse_filter("userName eq null", GROUP, others=[USER]) == Not(NEVER)
    assert parse_filter('emails[type eq "work"]', GROUP, others=[USER]) == NEVER
    assert shown(parse_filter('userName eq "x" or displayName eq "y"', GROUP, others=[USER])) == "displayName eq 'y'"
    with pytest.raises(UnknownAttribute):
        parse_filter("nosuch pr", GROUP, others=[USER])


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(['userName eq "x"'] * 20_000),
        " or ".join(["title pr"] * 400),
        "(" * 500,
        "(" * 500 + "title pr" + ")" * 500,
        "(" * 33 + "title pr" + ")" * 33,
        "not (" * 33 + "title pr" + ")" * 33,
        "[" * 4000,
        '"' * 4000,
        '"' + "\\\\" * 2000,
        "a:" * 2000,
        "a" * 4096,
        "a." * 2000,
        'userName eq "' + "x" * 100_000 + '"',
        "userName eq " + "9" * 4000,
        "userName eq 1e" + "9" * 4000,
        "userName\x00 pr",
    ],
)
def test_hostile_filters_are_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(InvalidFilter) as refused:
        parse_filter(text, USER)
    assert time.process_time() - start < 0.5
    assert len(refused.value.detail) < 500


def test_a_long_chain_within_the_limits_parses() -> None:
    node = parse_filter(" and ".join(["title pr"] * 200), USER)
    assert isinstance(node, And)
    assert len(node.terms) == 200


def test_the_inside_of_a_value_path_parses_alone() -> None:
    emails = USER.find("emails")
    assert emails
    node = parse_value_filter('type eq "work" and primary eq "true"', emails)
    assert shown(node) == "(emails.type eq 'work' & emails.primary eq True)"
    with pytest.raises(UnknownAttribute):
        parse_value_filter('userName eq "x"', emails)
    with pytest.raises(InvalidFilter):
        parse_value_filter('emails[type eq "work"]', emails)


def test_a_path_without_filter_names_an_attribute() -> None:
    assert parse_attribute("NAME.familyname", USER).path == "name.familyName"
    assert parse_attribute(f"{ENTERPRISE}:department", USER).path == f"{ENTERPRISE}:department"
    for wrong in ("password", "nosuch", 'emails[type eq "work"]', "a b", "", "title pr"):
        with pytest.raises(InvalidFilter):
            parse_attribute(wrong, USER)


def test_filters_of_one_shape_differ_in_values_only() -> None:
    one = shape(tokens('userName eq "a" and active eq true'))
    assert shape(tokens('USERNAME  EQ "b and (c" AND active eq false')) == one
    others = [
        "userName eq 5 and active eq true",
        'userName ne "a" and active eq true',
        'userName eq "a" or active eq true',
    ]
    assert all(shape(tokens(other)) != one for other in others)
    assert shape(tokens("title eq null")) != shape(tokens("title eq true"))


PIECES = st.sampled_from(
    [
        *(
            "userName",
            "emails",
            "emails.type",
            "name.familyName",
            "active",
            "manager",
            "meta.created",
            "urn:x:y:",
            "id",
        ),
        *("eq", "ne", "co", "sw", "ew", "pr", "gt", "le", "and", "or", "not", "(", ")", "[", "]", ".value", "null"),
        *('"x"', '"\\u00e9"', '"', "5", "-1.5e3", "true", "\\", "%", "$ref", ":", "é", "\x00", "\t"),
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES).map("".join)))
@example('emails[type eq "work"].type[value pr]')
def test_any_text_parses_or_is_an_invalid_filter(text: str) -> None:
    try:
        node = parse_filter(text, USER)
    except InvalidFilter:
        return
    assert shown(node)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> tuple[str, str]:
    """A filter as text with as few parentheses as precedence allows, and what it means."""
    kind = draw(st.sampled_from(["leaf", "and", "or", "not"])) if depth else "leaf"
    if kind == "leaf":
        name = draw(st.sampled_from(["title", "nickName", "locale", "timezone"]))
        return f"{name} pr", f"{name}?"
    if kind == "not":
        text, meaning = draw(trees(depth=depth - 1))
        return f"not ({text})", meaning[1:] if meaning.startswith("!") else f"!{meaning}"
    parts = [draw(trees(depth=depth - 1)) for _ in range(draw(st.integers(2, 3)))]
    joint, mark = (" and ", " & ") if kind == "and" else (" or ", " | ")
    needs = kind == "and"
    texts = [
        f"({text})" if needs and meaning.startswith("(") and " | " in _top(meaning) else text for text, meaning in parts
    ]
    flat = [_inside(meaning) if meaning.startswith("(") and mark in _top(meaning) else meaning for _, meaning in parts]
    return joint.join(texts), f"({mark.join(flat)})"


def _inside(meaning: str) -> str:
    return meaning[1:-1]


def _top(meaning: str) -> str:
    """The meaning without what stands in its inner parentheses."""
    depth, kept = 0, ""
    for char in _inside(meaning):
        depth += (char == "(") - (char == ")")
        kept += char if depth == 0 else ""
    return kept


@given(trees())
def test_and_binds_tighter_than_or_and_not_tighter_than_both(tree: tuple[str, str]) -> None:
    text, meaning = tree
    assert shown(parse_filter(text, USER)) == meaning


def test_operators_are_those_of_the_rfc() -> None:
    for operator in Operator:
        node = parse_filter(f'userName {operator} "x"', USER)
        assert isinstance(node, Comparison)
        assert node.op is operator
