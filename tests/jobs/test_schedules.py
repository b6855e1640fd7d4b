"""Runs start by themselves, once, when their time has come."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.jobs import PreviewRequest
from scim_server.domain.timetable import InvalidRule, parse_rule
from scim_server.jobs.sweeper import Sweeper
from tests.jobs.conftest import Office, never, nothing

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every 40 minutes", "2026-03-02T08:40"),
        ("every 1 minute", "2026-03-02T08:01"),
        ("daily 02:30", "2026-03-03T02:30"),
        ("daily 8:01", "2026-03-02T08:01"),
        ("daily 08:00", "2026-03-03T08:00"),
        ("weekly mon,thu 02:30", "2026-03-05T02:30"),
        ("Weekly MON 07:59", "2026-03-09T07:59"),
        ("daily 02:30 Europe/Amsterdam", "2026-03-03T01:30"),
        ("weekly tue 00:30 Asia/Tokyo", "2026-03-02T15:30"),
    ],
)
def test_a_rule_tells_the_next_run(text: str, expected: str) -> None:
    assert parse_rule(text).next_after(MONDAY) == datetime.fromisoformat(f"{expected}:00+00:00")


@pytest.mark.parametrize(
    "text", ["", "hourly", "every 0 minutes", "every 99999 minutes", "daily 25:00", "weekly 02:30", "weekly foo 02:30",
             "daily 02:30 Atlantis/Capital", "daily 02:30 ../../etc", "every forty minutes"]
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_words(text: str) -> None:
    with pytest.raises(InvalidRule, match=r"\w"):
        parse_rule(text)


@given(
    rule=st.sampled_from(
        ["every 7 minutes", "daily 02:30", "weekly sun 23:59", "daily 02:30 Europe/Amsterdam", "daily 02:30 US/Pacific"]
    ),
    moment=st.integers(0, 3_000_000).map(lambda minutes: MONDAY + timedelta(minutes=minutes)),
)
def test_the_next_run_is_always_later_and_within_eight_days(rule: str, moment: datetime) -> None:
    parsed = parse_rule(rule)
    assert parse_rule(str(parsed)) == parsed
    following = parsed.next_after(moment)
    assert moment < following <= moment + timedelta(days=8)


def test_clocks_that_change_move_the_run_with_the_wall(office: Office) -> None:
    rule = parse_rule("daily 02:30 Europe/Amsterdam")
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    spring = rule.next_after(before)
    assert f"{spring:%Y-%m-%d}" == "2026-03-29"
    assert rule.next_after(spring) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_due_run_starts_once_and_is_due_again_later(office: Office) -> None:
    office.schedules.put(office.tenant, "corp", "every 40 minutes")
    assert office.schedules.start_due() == []
    office.clock.pass_by(minutes=41)
    [ref] = office.schedules.start_due()
    job = office.jobs.get(*ref)
    assert job.actor == "schedule"
    assert job.request == PreviewRequest(full=True, objects=[], confirm=True)
    assert office.schedules.start_due() == []
    schedule = office.schedules.find(office.tenant, "corp")
    assert schedule is not None
    assert schedule.next_run_at == office.clock.at + timedelta(minutes=40)


def test_a_run_is_left_out_while_another_of_the_source_is_under_way(office: Office) -> None:
    office.schedules.put(office.tenant, "corp", "every 40 minutes")
    job = office.preview()
    office.clock.pass_by(minutes=41)
    assert office.schedules.start_due() == []
    office.worker(nothing).run(job.ref, never)
    office.clock.pass_by(minutes=41)
    assert len(office.schedules.start_due()) == 1


def test_a_schedule_is_changed_and_turned_off(office: Office) -> None:
    office.schedules.put(office.tenant, "corp", "daily 02:30")
    office.schedules.put(office.tenant, "corp", "weekly thu,mon 02:30")
    assert [schedule.rule for schedule in office.schedules.list(office.tenant)] == ["weekly mon,thu 02:30"]
    assert office.schedules.put(office.tenant, "corp", "off") is None
    assert office.schedules.list(office.tenant) == []


def test_sources_that_are_not_read_have_no_schedule(office: Office) -> None:
    with pytest.raises(Refused, match="pushes"):
        office.schedules.put(office.tenant, "entra-push", "daily 02:30")
    with pytest.raises(NotThere):
        office.schedules.put(office.tenant, "nowhere", "daily 02:30")
    with pytest.raises(Refused, match="every 40 minutes"):
        office.schedules.put(office.tenant, "corp", "now and then")


def test_a_lost_message_is_sent_again_unless_others_wait(office: Office) -> None:
    sweeper = Sweeper(office.database, office.clock, office.schedules, office.sent.append)
    job = office.preview()
    office.sent.clear()
    assert sweeper.sweep(queue_is_empty=False) == []
    assert sweeper.sweep(queue_is_empty=True) == [job.ref]
    assert office.sent == [job.ref]
    office.worker(nothing).run(job.ref, never)
    assert sweeper.sweep(queue_is_empty=True) == []
