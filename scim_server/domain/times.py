"""Points in time: aware UTC datetimes inside, one sortable text form outside."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Whatever tells the time; tests bring their own."""

    def now(self) -> datetime:
        """The present as an aware datetime in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The present as an aware datetime in UTC."""
        return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """ISO 8601 in UTC with six fraction digits and ``Z``: as text it sorts as in time (RFC 7643 section 2.3.5).

    Raises ValueError for a datetime without a zone: which moment it means is unknown.
    """
    if moment.tzinfo is None:
        raise ValueError("the time has no zone")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """The aware UTC datetime of any ISO 8601 text with a zone; digits beyond microseconds are dropped.

    Raises ValueError for anything else.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time has no zone")
    return moment.astimezone(UTC)
