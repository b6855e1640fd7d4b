"""Values as Active Directory stores them."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.active_directory.entries import make_entry, parse_link
from connectors.active_directory.values import (
    from_filetime,
    from_generalized_time,
    guid_bytes,
    guid_text,
    is_enabled,
    relative_id,
    sid_text,
    to_filetime,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
EARLIEST = datetime(1601, 1, 2, tzinfo=UTC).replace(tzinfo=None)  # hypothesis wants it without a zone


def test_a_guid_is_canonical_and_mixes_byte_orders() -> None:
    assert guid_text(bytes(range(16))) == "03020100-0504-0706-0809-0a0b0c0d0e0f"


@given(st.uuids())
def test_a_guid_survives_both_ways_with_its_leading_zeros(value: uuid.UUID) -> None:
    assert guid_text(guid_bytes(str(value).upper())) == str(value)
    assert len(guid_text(value.bytes)) == 36


def test_a_sid_is_spelled_as_people_know_it() -> None:
    raw = bytes.fromhex("010500000000000515000000b095730b506b87540a309eac53040000")
    assert sid_text(raw) == "S-1-5-21-192124336-1418160976-2896048138-1107"
    assert relative_id(sid_text(raw)) == 1107
    assert sid_text(bytes.fromhex("01010000000000050a000000")) == "S-1-5-10"


@pytest.mark.parametrize("ticks", [0, 0x7FFFFFFFFFFFFFFF, 0x7FFFFFFFFFFFFFFE])
def test_never_is_no_moment(ticks: int) -> None:
    assert from_filetime(ticks) is None


@given(st.datetimes(min_value=EARLIEST, timezones=st.just(UTC)).filter(lambda moment: moment.year < 9999))
def test_a_moment_survives_as_filetime(moment: datetime) -> None:
    assert from_filetime(to_filetime(moment)) == moment


def test_generalized_time_is_read_as_utc() -> None:
    assert from_generalized_time("20261121033857.0Z") == datetime(2026, 11, 21, 3, 38, 57, tzinfo=UTC)


@pytest.mark.parametrize(
    ("control", "expires", "expected"),
    [
        (512, 0, True),
        (512, 0x7FFFFFFFFFFFFFFF, True),
        (514, 0, False),
        (66050, 0, False),
        (512, to_filetime(NOW), False),
        (512, to_filetime(NOW + timedelta(seconds=1)), True),
        (512 | 16, 0, True),  # locked out: passes by itself
    ],
)
def test_a_person_is_enabled_unless_disabled_or_expired(control: int, expires: int, expected: bool) -> None:
    assert is_enabled(control, expires, NOW) is expected


def test_an_extended_dn_comes_apart() -> None:
    link = parse_link("<GUID=ABCDEF00-0000-0000-0000-000000000001>;<SID=S-1-5-21-1>;CN=a\\>;b,DC=ü".encode())
    assert (link.guid, link.sid, link.dn) == ("abcdef00-0000-0000-0000-000000000001", "S-1-5-21-1", "CN=a\\>;b,DC=ü")
    assert parse_link(b"<GUID=abcdef00-0000-0000-0000-000000000001>;CN=a").sid == ""
    with pytest.raises(ValueError, match="extended DN"):
        parse_link(b"CN=a")


def test_attribute_names_of_an_entry_compare_without_case() -> None:
    entry = make_entry(b"<GUID=abcdef00-0000-0000-0000-000000000001>;CN=a", {"sAMAccountName": [b"\xc3\xa4"]})
    assert entry.text("SAMACCOUNTNAME") == "ä"
    assert (entry.first("mail"), entry.text("mail"), entry.number("x", 3), entry.flag("y")) == (None, "", 3, False)
