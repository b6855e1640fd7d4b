"""When a source is read by itself: rules such as "every 40 minutes", "daily 02:30" or "weekly mon,thu 02:30"."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EVERY = re.compile(r"every (\d{1,5}) minutes?")
_AT = re.compile(r"(?:daily|weekly ([a-z]{3}(?:,[a-z]{3})*)) (\d{1,2}):(\d{2})(?: (\S+))?", re.IGNORECASE)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST = 7 * 24 * 60
_FORMS = "'every 40 minutes', 'daily 02:30' or 'weekly mon,thu 02:30', with a time zone behind if it is not UTC"


class InvalidRule(ValueError):
    """The text is no rule; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Every:
    """So many minutes after the previous run."""

    minutes: int

    def __str__(self) -> str:
        return f"every {self.minutes} minutes"

    def next_after(self, moment: datetime) -> datetime:
        """The next run after that moment."""
        return moment + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class At:
    """At a time of certain days (0 is Monday; none means every day), on the clocks of a zone."""

    at: time
    days: frozenset[int] = frozenset()
    zone: str = "UTC"

    def __str__(self) -> str:
        days = "daily" if not self.days else "weekly " + ",".join(_DAYS[day] for day in sorted(self.days))
        return f"{days} {self.at:%H:%M}" + ("" if self.zone == "UTC" else f" {self.zone}")

    def next_after(self, moment: datetime) -> datetime:
        """The next run after that moment; a time that a change of clocks leaves out counts as if it had not."""
        here = moment.astimezone(ZoneInfo(self.zone))
        for days in range(9):
            day = here.date() + timedelta(days=days)
            run = datetime.combine(day, self.at, here.tzinfo).astimezone(UTC)
            if run > moment and (not self.days or day.weekday() in self.days):
                return run
        raise AssertionError("every rule has a day within a week")


Rule = Every | At


def parse_rule(text: str) -> Rule:
    """The rule that the text spells; ``str`` of it gives the text back. Raises InvalidRule."""
    words = " ".join(text.split())
    if found := _EVERY.fullmatch(words.lower()):
        minutes = int(found[1])
        if not 1 <= minutes <= _LONGEST:
            raise InvalidRule(f"{text!r}: between 1 and {_LONGEST} minutes (a week)")
        return Every(minutes)
    if not (found := _AT.fullmatch(words)):
        raise InvalidRule(f"{text!r} is no schedule: write {_FORMS}")
    try:
        at = time(int(found[2]), int(found[3]))
    except ValueError:
        raise InvalidRule(f"{text!r}: {found[2]}:{found[3]} is no time of a day") from None
    return At(at, _days(text, found[1]), _zone(text, found[4] or "UTC"))


def _days(text: str, names: str | None) -> frozenset[int]:
    if names is None:
        return frozenset()
    unknown = [name for name in names.lower().split(",") if name not in _DAYS]
    if unknown:
        raise InvalidRule(f"{text!r}: {unknown[0]} is no day; days are {', '.join(_DAYS)}")
    return frozenset(_DAYS.index(name) for name in names.lower().split(","))


def _zone(text: str, name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRule(f"{text!r}: this machine knows no time zone {name}; one is Europe/Amsterdam") from None
    return name
