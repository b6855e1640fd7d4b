"""Times as text: sortable, exact to the microsecond, always UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.domain.times import SystemClock, from_text, to_text

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001  # hypothesis adds the zone


@given(moments)
def test_a_time_comes_back_as_the_same_moment(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment


@given(moments, moments)
def test_texts_sort_as_the_moments_do(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)


def test_the_text_has_one_form() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=2)))
    assert to_text(noon) == "2026-03-02T10:00:00.000000Z"
    assert from_text("2026-03-02T12:00:00.1234567+02:00") == datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_text(datetime(2026, 3, 2))  # noqa: DTZ001  # exactly what is refused
    with pytest.raises(ValueError, match="zone"):
        from_text("2026-03-02T12:00:00")


def test_the_clock_tells_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
