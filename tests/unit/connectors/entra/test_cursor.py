"""The cursor keeps what the next read needs, and nothing else is taken for one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.entra.cursor import LIFE, RESTORABLE, Cursor, decode_cursor, still_restorable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
IDS = st.uuids().map(str)
MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone


@given(
    st.builds(
        Cursor,
        content=st.text(),
        issued_at=MOMENTS,
        users=st.text(),
        groups=st.text(),
        scope_members=st.frozensets(IDS),
        soft_deleted=st.dictionaries(IDS, MOMENTS),
    )
)
def test_a_cursor_survives_its_text(cursor: Cursor) -> None:
    assert decode_cursor(cursor.encode()) == cursor


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "nonsense", '{"version": 2}', '{"version": 1, "users": 3}'])
def test_anything_else_is_no_cursor(text: str | None) -> None:
    assert decode_cursor(text) is None


def test_a_cursor_is_used_for_less_than_seven_days() -> None:
    cursor = Cursor("c", NOW, "users", "groups")
    just_before = NOW + LIFE - timedelta(seconds=1)
    assert cursor.is_usable("c", just_before, with_groups=True)
    assert not cursor.is_usable("c", NOW + LIFE, with_groups=True)


def test_a_cursor_of_other_settings_is_not_used() -> None:
    cursor = Cursor("c", NOW, "users")
    assert not cursor.is_usable("d", NOW, with_groups=False)
    assert not cursor.is_usable("c", NOW, with_groups=True)


def test_the_recycle_bin_forgets_what_came_back_or_is_past_restoring() -> None:
    before = {"old": NOW - RESTORABLE, "back": NOW, "stays": NOW - timedelta(days=3)}
    after = still_restorable(before, deleted=["new", "stays"], back=["back"], now=NOW)
    assert after == {"stays": NOW - timedelta(days=3), "new": NOW}


def test_fifty_thousand_scope_members_fit_into_less_than_two_megabytes() -> None:
    members = frozenset(f"{number:08x}-aaaa-4bbb-8ccc-{number * 2654435761 % 2**48:012x}" for number in range(50_000))
    text = Cursor("c", NOW, "users", scope_members=members).encode()
    assert len(text) < 2_000_000
