"""The reader of the sample directory: everything of a day, or what differs from the day of the cursor."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from connectors.mapping import ENTERPRISE_URN
from connectors.sample.directory import Day, Group, Person
from scim_server.domain.observations import (
    End,
    Evidence,
    Finding,
    ImmutableId,
    Kind,
    Member,
    Observation,
    Outcome,
    Page,
    Place,
    ReadEnd,
    ReadFailed,
)

_PAGE: Final = 20
_SCOPE: Final = "sample"
_CREATED_AT: Final = datetime(2024, 1, 8, tzinfo=UTC)
_OUTAGE: Final = "The sample directory does not answer."
_REMEDY: Final = "Set outage=no."


def utc_now() -> datetime:
    """The aware time of this machine."""
    return datetime.now(UTC)


class SampleReader:
    """Reads the last of the days; see ``scim_server.domain.observations.DirectoryReader``.

    The days before it tell what is deleted since. No day at all is a directory that does not answer.
    """

    def __init__(self, days: Sequence[Day], *, now: Callable[[], datetime] = utc_now) -> None:
        self._days = days
        self._now = now

    def read(self, cursor: str | None, *, full: bool = False) -> Iterator[Page]:
        """Yield pages; see DirectoryReader.read."""
        today = self._today()
        before = None if full else self._day_of(cursor)
        found = list(self._everything(today) if before is None else self._changes(before, today))
        for start in range(0, len(found), _PAGE):
            yield Page(found[start : start + _PAGE])
        day = json.dumps({"day": len(self._days)})
        yield Page((), ReadEnd(End.COMPLETE, full=before is None, cursor=day, scope=_SCOPE))

    def look_up(self, ids: Sequence[ImmutableId]) -> Mapping[ImmutableId, Observation]:
        """These objects as they are; see DirectoryReader.look_up."""
        today = self._today()
        found = {each: self._observe(today, each) for each in ids}
        return {each: observation for each, observation in found.items() if observation is not None}

    def find(self, name: str) -> Sequence[Observation]:
        """People and groups with this username, address or display name."""
        wanted = name.strip().lower()
        return [each for each in self._everything(self._today()) if wanted in _names(each)]

    def check(self) -> Sequence[Finding]:
        """The connection test; see DirectoryReader.check."""
        if not self._days:
            return [Finding("read", Outcome.FAILED, _OUTAGE, _REMEDY)]
        today = self._today()
        people = [person for person in today.people.values() if person.in_scope]
        first = "; ".join(_display(person) for person in people[:5])
        text = f"{len(people)} people and {len(today.groups)} groups in scope; the first: {first}"
        return [Finding("read", Outcome.OK, f"it is day {len(self._days)}"), Finding("count", Outcome.OK, text)]

    def browse(self, parent: str | None) -> Sequence[Place]:
        """All groups; nothing lies below them."""
        groups = self._today().groups.values() if parent is None else ()
        return [Place(group.immutable_id, group.name, "group") for group in sorted(groups, key=lambda each: each.name)]

    def _today(self) -> Day:
        if not self._days:
            raise ReadFailed(f"{_OUTAGE} {_REMEDY}")
        return self._days[-1]

    def _day_of(self, cursor: str | None) -> Day | None:
        """The day the cursor was given on; None where it is none of this directory's."""
        try:
            day = json.loads(cursor or "")["day"]
        except (ValueError, TypeError, KeyError):
            return None
        return self._days[day - 1] if isinstance(day, int) and 1 <= day <= len(self._days) else None

    def _everything(self, day: Day) -> Iterator[Observation]:
        for person in day.people.values():
            if person.in_scope:
                yield _observe_person(person, self._now())
        for group in day.groups.values():
            yield _observe_group(day, group, self._now())

    def _changes(self, before: Day, today: Day) -> Iterator[Observation]:
        for table in ("people", "groups"):
            then, now = getattr(before, table), getattr(today, table)
            for each in [*now, *(gone for gone in then if gone not in now)]:
                observation = self._observe(today, each) if then.get(each) != now.get(each) else None
                if observation is not None:
                    yield observation

    def _observe(self, today: Day, each: ImmutableId) -> Observation | None:
        if each in today.people:
            return _observe_person(today.people[each], self._now())
        if each in today.groups:
            return _observe_group(today, today.groups[each], self._now())
        was = next((kind for day in reversed(self._days) if (kind := day.kind_of(each))), None)
        return Observation(was, each, Evidence.DELETED, self._now()) if was else None


def _observe_person(person: Person, read_at: datetime) -> Observation:
    attributes: dict[str, Any] = {
        "userName": person.username or None,
        "displayName": _display(person) or None,
        "name": {"givenName": person.given, "familyName": person.family} if person.given or person.family else None,
        "emails": _emails(person) or None,
        "phoneNumbers": _numbers(person) or None,
        "title": person.title or None,
        ENTERPRISE_URN: {"department": person.department or None},
    }
    return Observation(
        kind=Kind.USER,
        immutable_id=person.immutable_id,
        evidence=Evidence.PRESENT if person.in_scope else Evidence.OUT_OF_SCOPE,
        read_at=read_at,
        attributes=attributes,
        enabled=person.enabled,
        anchors={"ad_guid": person.immutable_id},
        manager=person.manager,
        manager_known=True,
        created_at=_CREATED_AT,
        location=f"{person.department}/{_display(person)}",
        problem="" if person.username else "the person has no username",
        raw_hash=_hash(person),
    )


def _observe_group(day: Day, group: Group, read_at: datetime) -> Observation:
    return Observation(
        kind=Kind.GROUP,
        immutable_id=group.immutable_id,
        evidence=Evidence.PRESENT,
        read_at=read_at,
        attributes={"displayName": group.name},
        members=[Member(each, day.kind_of(each)) for each in sorted(group.members)],
        created_at=_CREATED_AT,
        location=group.name,
        raw_hash=_hash((group.name, sorted(group.members))),
    )


def _emails(person: Person) -> list[dict[str, Any]]:
    main = [{"value": person.mail, "type": "work", "primary": True}] if person.mail else []
    return [*main, *({"value": alias, "type": "other"} for alias in person.aliases)]


def _numbers(person: Person) -> list[dict[str, Any]]:
    numbers = (("work", person.phone), ("mobile", person.mobile))
    return [{"value": number, "type": kind} for kind, number in numbers if number]


def _display(person: Person) -> str:
    return f"{person.given} {person.family}".strip()


def _names(observation: Observation) -> set[str]:
    """What the object is called, in small letters."""
    attributes = observation.attributes
    emails = attributes.get("emails") or ()
    names = [attributes.get("userName"), attributes.get("displayName"), *(each["value"] for each in emails)]
    return {name.lower() for name in names if name}


def _hash(content: object) -> str:
    return blake2b(repr(content).encode(), digest_size=16).hexdigest()
