"""The settings of an Active Directory source, its errors in words, and its cursor."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.active_directory.config import SCHEMA, dn_key, host_and_port, is_within, parse_config
from connectors.active_directory.cursor import Cursor, State
from connectors.active_directory.errors import BIND_CODES, SignInRefused, explain_opening, explain_result
from connectors.active_directory.groups import Expansion
from connectors.active_directory.queries import user_attributes, watched_attributes
from connectors.settings import SettingsError, describe_settings

VALUES = {"urls": "ldaps://dc1.example.com", "bind_dn": "EX\\svc", "base_dns": "DC=example,DC=com"}
SECRETS = {"password": "hunter2"}


def test_the_defaults_are_safe() -> None:
    config = parse_config(VALUES, SECRETS)
    assert config.verify_certificate is True
    assert config.import_groups is True
    assert config.bases == ("DC=example,DC=com",)
    assert 0 < config.connect_timeout <= config.read_timeout


def test_the_password_is_not_part_of_what_is_shown() -> None:
    assert "hunter2" not in repr(parse_config(VALUES, SECRETS))
    assert [setting.name for setting in describe_settings(SCHEMA) if setting.is_secret] == ["password"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("urls", "dc1.example.com", "ldaps://host"),
        ("urls", "ldap://dc1\nhttp://dc2", "http://dc2 is not"),
        ("base_dns", "example.com", "is not a DN"),
        ("scope_ous", "OU=Staff,DC=other,DC=com", "is not below a base DN"),
        ("scope_groups", "CN=Staff,DC=other,DC=com", "is not below a base DN"),
        ("user_filter", "mail=*", "is not an LDAP filter"),
        ("user_filter", "(mail=*", "is not an LDAP filter"),
        ("group_filter", "(&(a=b)(c", "is not an LDAP filter"),
        ("ca_file", "/nowhere/ca.pem", "no such file"),
        ("mapping", '{"emials": "mail"}', "emials: is not a target"),
        ("mapping", '{"title": "unicodePwd"}', "must not read unicodePwd"),
        ("mapping", '{"title": {"first": ["title", "ms-Mcs-AdmPwd"]}}', "must not read ms-Mcs-AdmPwd"),
        ("page_size", "1001", "from 1 to 1000"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_config({**VALUES, name: value}, SECRETS)
    assert list(refused.value.problems) == [name]
    assert words in refused.value.problems[name]


def test_organizational_units_narrow_the_bases() -> None:
    config = parse_config({**VALUES, "scope_ous": "ou=staff, dc=EXAMPLE, dc=com"}, SECRETS)
    assert config.bases == ("ou=staff, dc=EXAMPLE, dc=com",)


def test_the_scope_hash_follows_what_is_read_and_not_how() -> None:
    before = parse_config(VALUES, SECRETS).scope_hash
    for changed in ({"page_size": "7"}, {"read_timeout": "9"}, {"urls": "ldap://dc2"}):
        assert parse_config({**VALUES, **changed}, SECRETS).scope_hash == before
    others = (
        {"base_dns": "DC=com"},
        {"scope_ous": "OU=a,DC=example,DC=com"},
        {"scope_groups": "CN=a,DC=example,DC=com"},
        {"user_filter": "(a=b)"},
        {"group_filter": "(a=b)"},
        {"import_groups": "no"},
    )
    hashes = {parse_config({**VALUES, **changed}, SECRETS).scope_hash for changed in others}
    assert len({before, *hashes}) == 1 + len(others)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ldaps://dc1", ("dc1", 636, True)),
        ("ldap://dc1/", ("dc1", 389, False)),
        ("ldaps://10.0.0.1:3269", ("10.0.0.1", 3269, True)),
        ("ldaps://[2001:db8::1]:637", ("2001:db8::1", 637, True)),
    ],
)
def test_a_url_comes_apart(url: str, expected: tuple[str, int, bool]) -> None:
    assert host_and_port(url) == expected


def test_dns_compare_by_parts_and_without_case() -> None:
    base, inner = dn_key("DC=Example,DC=com"), dn_key("ou=Staff , dc=example,dc=COM")
    assert base
    assert inner
    assert is_within(inner, base)
    assert not is_within(base, inner)
    assert not is_within(dn_key("OU=aDC=example,DC=com") or (), base)
    assert dn_key("OU=trailing\\ ,DC=com") is not None
    assert dn_key("") is None


def test_attributes_of_filters_are_watched_for_changes() -> None:
    filters = {"user_filter": "(&(!(employeeType=x))( extensionAttribute1>=3)(memberOf:1.2.3:=CN=a))"}
    watched = watched_attributes(parse_config({**VALUES, **filters}, SECRETS))
    assert {"employeeType", "extensionAttribute1", "memberOf", "member", "manager", "isDeleted"} <= set(watched)


def test_only_what_is_mapped_is_asked_for() -> None:
    names = {name.lower() for name in user_attributes(parse_config(VALUES, SECRETS))}
    assert "mail" in names
    assert not names & {"thumbnailphoto", "*", "netbiosname"}
    assert "mail" not in user_attributes(parse_config({**VALUES, "mapping": '{"emails": null}'}, SECRETS))


@pytest.mark.parametrize("code", BIND_CODES)
def test_each_bind_code_has_words_and_a_remedy(code: str) -> None:
    message = f"80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {code}, v4563"
    explained = explain_result(49, "invalidCredentials", message, "ldaps://dc1")
    assert isinstance(explained, SignInRefused)
    assert BIND_CODES[code][0] in explained.text
    assert explained.remedy


def test_an_unknown_bind_code_is_still_a_refusal() -> None:
    assert isinstance(explain_result(49, "invalidCredentials", "", "ldaps://dc1"), SignInRefused)
    assert isinstance(explain_result(49, "invalidCredentials", "data fff", "ldaps://dc1"), SignInRefused)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("certificate verify failed: certificate has expired", "has expired"),
        ("CERTIFICATE_VERIFY_FAILED] self-signed certificate in certificate chain", "unknown authority"),
        ("certificate verify failed: Hostname mismatch", "another name"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "nobody speaks TLS"),
        ("startTLS failed - unavailable", "STARTTLS was refused"),
        ("[Errno 111] Connection refused", "nobody listens"),
        ("timed out", "no answer in time"),
        ("something new", "no connection"),
    ],
)
def test_a_failed_connection_is_explained(text: str, words: str) -> None:
    explained = explain_opening(text, "ldaps://dc1")
    assert words in explained.text
    assert explained.remedy


guids = st.frozensets(st.binary(min_size=16, max_size=16), max_size=5)


@given(st.none() | st.binary(max_size=40), st.none() | st.builds(Expansion, guids, guids), st.integers(0, 2**62))
def test_a_cursor_survives_as_text(dirsync: bytes | None, selected: Expansion | None, usn: int) -> None:
    cursor = Cursor(State("ldaps://dc1", "id", usn, 7), "scope", "mapping", dirsync, selected)
    assert Cursor.from_text(cursor.to_text()) == cursor


@given(st.text() | st.recursive(st.none() | st.integers(), lambda inner: st.lists(inner)).map(json.dumps))
def test_any_other_text_is_no_cursor(text: str) -> None:
    assert Cursor.from_text(text) is None


def test_a_cursor_fits_only_its_own_controller_database_scope_and_mapping() -> None:
    config = parse_config(VALUES, SECRETS)
    state = State("ldaps://dc1", "invocation", 100, 7)
    cursor = Cursor(state, config.scope_hash, config.mapping.fingerprint, None, None)
    assert cursor.fits(state, config)
    assert cursor.fits(State("ldaps://dc1", "invocation", 101, 8), config)
    assert not cursor.fits(State("ldaps://dc2", "invocation", 101, 8), config)
    assert not cursor.fits(State("ldaps://dc1", "restored", 101, 8), config)
    assert not cursor.fits(State("ldaps://dc1", "invocation", 99, 8), config)
    assert not cursor.fits(state, parse_config({**VALUES, "user_filter": "(a=b)"}, SECRETS))
    assert not cursor.fits(state, parse_config({**VALUES, "mapping": '{"title": null}'}, SECRETS))
    unknown = State("ldaps://dc1", "", 100, 7)
    assert not Cursor(unknown, config.scope_hash, config.mapping.fingerprint, None, None).fits(unknown, config)


def test_a_ca_file_that_exists_is_accepted(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    assert parse_config({**VALUES, "ca_file": str(ca_file)}, SECRETS).ca_file == str(ca_file)
