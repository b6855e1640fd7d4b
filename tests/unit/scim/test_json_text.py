"""JSON text: what is read, what is refused and why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.observations import Json
from scim_server.scim.errors import BadRequest, InvalidSyntax, InvalidValue
from scim_server.scim.json_text import canonical, dump, load
from tests.unit.scim.json_values import any_json

storable_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), inner)
    ),
    max_leaves=10,
)
SECRET = b"s3cret-password"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a':1}",
        b'{"a":1} trailing',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"b\x00"}',
        b"[" * 5_000,
    ],
)
def test_malformed_json_is_refused_as_syntax(body: bytes) -> None:
    with pytest.raises(InvalidSyntax, match="not valid JSON"):
        load(body)


def test_the_detail_tells_the_place_and_never_the_content() -> None:
    with pytest.raises(InvalidSyntax) as caught:
        load(b'{"password":\n"' + SECRET + b'",}')
    assert "line 2" in caught.value.detail
    assert SECRET.decode() not in caught.value.detail
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"title":"a\\u0000b"}', "title"),
        (b'{"emails":[{"value":"a"},{"value":"\\u0000"}]}', "emails[1].value"),
        (b'{"a\\u0000":1}', "a contains"),
        (b'"\\u0000"', "the body contains"),
    ],
)
def test_a_nul_character_is_refused_with_its_place(body: bytes, path: str) -> None:
    with pytest.raises(InvalidValue, match="NUL") as caught:
        load(body)
    assert caught.value.detail.startswith(path)


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert load(b'["\\\\u0000"]') == ["\\u0000"]


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63), 10**18])
def test_an_integer_of_64_bits_stays_exact(number: int) -> None:
    value = load(b'{"n":%d}' % number)["n"]
    assert value == number
    assert isinstance(value, int)


@pytest.mark.parametrize("digits", [str(2**64), str(-(2**63) - 1), "9" * 25, "1" * 300])
def test_a_larger_integer_is_refused_instead_of_rounded(digits: str) -> None:
    with pytest.raises(InvalidValue, match="more than 64 bits"):
        load(b'{"n":%b}' % digits.encode())


@pytest.mark.parametrize("body", [b'"12345678901234567890123456789"', b"0.12345678901234567890123"])
def test_long_digits_in_strings_and_fractions_are_no_large_integers(body: bytes) -> None:
    assert load(body) == json.loads(body)


def test_nesting_up_to_the_limit_is_read_and_no_deeper() -> None:
    assert load(b"[" * 32 + b"]" * 32)
    assert load(b'{"a":[{"b":1}]}', max_depth=3) == {"a": [{"b": 1}]}
    for body in (b"[" * 33 + b"]" * 33, b'{"a":' * 33 + b"1" + b"}" * 33):
        with pytest.raises(InvalidValue, match="more than 32 levels"):
            load(body)


def test_many_objects_on_few_levels_are_read() -> None:
    members = {"members": [{"value": str(number)} for number in range(1_000)]}
    assert load(dump(members)) == members


@given(storable_json)
def test_what_is_dumped_is_read_back(value: Json) -> None:
    for text in (dump(value), canonical(value), json.dumps(value).encode()):
        assert load(text) == value


@given(st.binary(max_size=40) | any_json.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused_as_a_client_error(body: bytes) -> None:
    try:
        value = load(body)
    except BadRequest:
        return
    assert value == json.loads(body)


def test_equal_values_have_one_canonical_text() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == canonical({"a": {"c": 3, "d": 2}, "b": 1})
    assert dump({"b": 1, "a": "ü"}) == '{"b":1,"a":"ü"}'.encode()
