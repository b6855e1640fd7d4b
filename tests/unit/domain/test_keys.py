"""Keys: which spellings are one value."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.keys import (
    EMAIL,
    GROUP_NAME,
    USERNAME,
    Claim,
    UnusableValue,
    Wanted,
    claims_of,
    ekey,
    fold,
    group_claims,
    look_alike,
    ukey,
)

HOST = "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?"


def key_or_reason(key: object, text: str) -> str:
    try:
        return key(text)  # type: ignore[operator, no-any-return] # ukey or ekey
    except UnusableValue as unusable:
        return f"unusable: {unusable.reason}"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Straße", "STRASSE"),
        ("ｍｕｅｌｌｅｒ", "Mueller"),
        ("jose\u0301", "JOSÉ"),
        ("  Ann   Lee ", "ann\u00a0lee"),
        ("an\u200bn\u00ad", "Ann"),
        ("e\u200d\u0301", "é"),
        ("α\u0345\u200d\u0301", "α\u0345\u0301"),
        ("ﬁnn", "FINN"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_unicode_equivalent_username(left: str, right: str) -> None:
    assert ukey(left) == ukey(right)
    assert fold(left).split() == fold(right).split()


@pytest.mark.parametrize(
    ("left", "right"), [("josé", "jose"), ("İpek", "ipek"), ("ıpek", "ipek"), ("ann lee", "annlee")]
)
def test_diacritics_and_the_dot_of_an_i_make_different_usernames(left: str, right: str) -> None:
    assert ukey(left) != ukey(right)


@pytest.mark.parametrize(("left", "right"), [("josé", "jose"), ("İpek", "ipek"), ("ıpek", "Ipek")])
def test_what_differs_in_diacritics_only_looks_alike(left: str, right: str) -> None:
    assert look_alike(left) == look_alike(right)
    assert look_alike(left) != look_alike("joss")


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "a\tb", "a\x00", "\ud800", "\u0378", "x" * 2001, "é" * 1001])
def test_a_username_that_cannot_be_a_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UnusableValue) as refused:
        ukey(text)
    assert refused.value.reason
    assert text.strip() == "" or text not in str(refused.value)


def test_keys_are_idempotent_on_every_assigned_character() -> None:
    for char in map(chr, range(128, sys.maxunicode + 1)):
        if unicodedata.category(char) in ("Cn", "Co", "Cs"):
            continue
        folded, key = fold(char), key_or_reason(ukey, char)
        assert folded == char or fold(folded) == folded
        assert key == char or key.startswith("unusable") or ukey(key) == key


@given(st.text())
def test_keys_of_any_text_are_idempotent_and_blind_to_case_and_surrounding_space(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    key = key_or_reason(ukey, text)
    if not key.startswith("unusable"):
        assert ukey(key) == key
        assert ukey(f"  {text} ") == key
        assert ukey(unicodedata.normalize("NFD", text)) == key


@given(st.text(st.characters(max_codepoint=127)))
def test_the_fast_path_for_ascii_agrees_with_the_full_rule(text: str) -> None:
    assert fold(text) == unicodedata.normalize("NFKC", text.casefold())
    plain, detour = key_or_reason(ukey, text), key_or_reason(ukey, text + "\u200b")
    assert plain == detour


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("SMTP:Ann@Contoso.COM", "ann@contoso.com"),
        ("smtp:ann@contoso.com", "ann@contoso.com"),
        ("mailto:ann@contoso.com ", "ann@contoso.com"),
        ("SMTP:mailto:ann@contoso.com", "ann@contoso.com"),
        ("ann@contoso.com.", "ann@contoso.com"),
        ("ann+tag@contoso.com", "ann+tag@contoso.com"),
        ("a.n.n@contoso.com", "a.n.n@contoso.com"),
        ('"a@b"@contoso.com', '"a@b"@contoso.com'),
        ("ann@Bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@contoso。com", "ann@contoso.com"),
        ("Ａnn＠contoso.com", "ann@contoso.com"),
        ("ann_gmail.com#EXT#@contoso.onmicrosoft.com", "ann_gmail.com#ext#@contoso.onmicrosoft.com"),
        ("ann@localhost", "ann@localhost"),
    ],
)
def test_an_address_has_one_key_however_it_is_spelled(text: str, key: str) -> None:
    assert ekey(text) == key
    assert ekey(key) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@contoso.com",
        "smtp:@contoso.com",
        "ann@",
        "ann lee@contoso.com",
        "ann@a..b",
        "ann@-a.com",
        "ann@ab--cd.com",
        "ann@a_b.com",
        "ann@con toso.com",
        "an\x07n@contoso.com",
        f"ann@{'a' * 64}.com",
        f"ann@{'a.' * 130}com",
    ],
)
def test_what_is_no_address_has_no_key(text: str) -> None:
    with pytest.raises(UnusableValue):
        ekey(text)


@given(st.text(min_size=1, max_size=6), st.from_regex(rf"{HOST}(\.{HOST}){{0,2}}", fullmatch=True))
def test_address_keys_are_idempotent_and_plain_domains_agree_with_idna(local: str, domain: str) -> None:
    key = key_or_reason(ekey, f"{local}@{domain}")
    if not key.startswith("unusable"):
        assert ekey(key) == key
        assert ekey(f"{local}@{domain.upper()}\u3002") == key  # the ideographic full stop takes the full path


ANN = {"userName": "Ann@Contoso.com", "emails": [{"value": "ann.lee@contoso.com", "type": "work"}]}


def test_a_user_claims_its_username_its_addresses_and_the_address_that_its_username_spells() -> None:
    assert claims_of(ANN) == [
        Wanted(Claim(USERNAME, "ann@contoso.com"), "Ann@Contoso.com", "primary", "userName"),
        Wanted(Claim(EMAIL, "ann.lee@contoso.com"), "ann.lee@contoso.com", "primary", "emails"),
        Wanted(Claim(EMAIL, "ann@contoso.com"), "Ann@Contoso.com", "login", "userName"),
    ]


def test_ones_own_address_may_equal_ones_username() -> None:
    document = {"userName": "ann@contoso.com", "emails": [{"value": "ANN@contoso.com"}]}
    assert [want.role for want in claims_of(document)] == ["primary", "primary"]


def test_the_cross_rule_and_unique_addresses_can_be_turned_off() -> None:
    assert [want.claim.ns for want in claims_of(ANN, cross_login=False)] == [USERNAME, EMAIL]
    assert [want.claim.ns for want in claims_of(ANN, email_unique=False)] == [USERNAME]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        (({}, {"type": "work"}, {"primary": True}), 2),
        (({}, {"type": "Work"}, {"primary": False}), 1),
        (({}, {"type": "home"}, {}), 0),
    ],
)
def test_the_primary_address_is_the_marked_one_else_the_one_for_work_else_the_first(
    marks: tuple[dict[str, object], ...], expected: int
) -> None:
    emails = [{"value": f"ann{number}@contoso.com", **mark} for number, mark in enumerate(marks)]
    roles = {want.raw: want.role for want in claims_of({"userName": "ann", "emails": emails}) if want.claim.ns == EMAIL}
    assert roles == {email["value"]: "primary" if n == expected else "secondary" for n, email in enumerate(emails)}


def test_an_address_listed_twice_is_claimed_once_in_its_stronger_role() -> None:
    emails = [{"value": "ann@contoso.com"}, {"value": "ANN@contoso.com", "primary": True}]
    found = [(want.role, want.raw) for want in claims_of({"userName": "ann", "emails": emails})][1:]
    assert found == [("primary", "ANN@contoso.com")]


def test_an_email_that_is_no_address_is_an_error_on_a_pull_and_takes_no_claim_on_a_push() -> None:
    document = {"userName": "ann", "emails": [{"value": "QWERTY"}, {"value": ""}]}
    with pytest.raises(UnusableValue) as refused:
        claims_of(document)
    assert refused.value.attribute == "emails"
    assert "QWERTY" not in str(refused.value)
    assert [want.claim.ns for want in claims_of(document, address_required=False)] == [USERNAME]


@pytest.mark.parametrize("document", [{}, {"userName": None}, {"userName": " "}])
def test_a_user_without_a_usable_username_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(UnusableValue) as refused:
        claims_of(document)
    assert refused.value.attribute == "userName"


def test_a_group_claims_its_name_where_group_names_are_unique() -> None:
    assert group_claims({"displayName": "Sales "}, unique=True) == [
        Wanted(Claim(GROUP_NAME, "sales"), "Sales ", "primary", "displayName")
    ]
    assert group_claims({"displayName": "Sales"}, unique=False) == []
    with pytest.raises(UnusableValue):
        group_claims({}, unique=True)
