"""The sample directory keeps the reader contract, and holds what its two days promise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest

from connectors.registry import find_connector
from connectors.sample.directory import Day, Group, Person, sample_days
from connectors.sample.reader import SampleReader
from connectors.settings import SettingsError
from scim_server.domain.observations import Evidence, Kind, ReadFailed
from tests.contract.reader_contract import TELLS_DELETIONS, TELLS_MOVES, Mirror, ReaderContract, in_one

T = TypeVar("T")


class SampleHand:
    """The directory of the reader contract: every change makes a new day."""

    tells = frozenset((TELLS_DELETIONS, TELLS_MOVES))

    def __init__(self) -> None:
        self._days = [Day({}, {})]

    def reader(self) -> SampleReader:
        return SampleReader(self._days)

    def add_user(self, name: str) -> str:
        return self._put_person(Person(self._new_id(), given=name, **self._names(name)))

    def rename_user(self, user: str, name: str) -> None:
        self._put_person(replace(self._today.people[user], given=name, **self._names(name)))

    def set_title(self, user: str, title: str | None) -> None:
        self._put_person(replace(self._today.people[user], title=title or ""))

    def set_enabled(self, user: str, enabled: bool) -> None:
        self._put_person(replace(self._today.people[user], enabled=enabled))

    def set_manager(self, user: str, manager: str | None) -> None:
        self._put_person(replace(self._today.people[user], manager=manager))

    def delete_user(self, user: str) -> None:
        self._days.append(Day(_without(self._today.people, user), self._today.groups))

    def move_out_of_scope(self, user: str) -> None:
        self._put_person(replace(self._today.people[user], in_scope=False))

    def move_into_scope(self, user: str) -> None:
        self._put_person(replace(self._today.people[user], in_scope=True))

    def add_group(self, name: str) -> str:
        return self._put_group(Group(self._new_id(), name))

    def rename_group(self, group: str, name: str) -> None:
        self._put_group(replace(self._today.groups[group], name=name))

    def delete_group(self, group: str) -> None:
        self._days.append(Day(self._today.people, _without(self._today.groups, group)))

    def add_member(self, group: str, member: str) -> None:
        before = self._today.groups[group]
        self._put_group(replace(before, members=before.members | {member}))

    def remove_member(self, group: str, member: str) -> None:
        before = self._today.groups[group]
        self._put_group(replace(before, members=before.members - {member}))

    def make_unreachable(self) -> None:
        self._days.clear()

    @property
    def _today(self) -> Day:
        return self._days[-1]

    def _new_id(self) -> str:
        return f"00000000-0000-4000-9000-{len(self._days):012}"

    def _names(self, name: str) -> dict[str, str]:
        return {"username": f"{name}@example.test", "mail": f"{name}@example.test"}

    def _put_person(self, person: Person) -> str:
        self._days.append(Day({**self._today.people, person.immutable_id: person}, self._today.groups))
        return person.immutable_id

    def _put_group(self, group: Group) -> str:
        self._days.append(Day(self._today.people, {**self._today.groups, group.immutable_id: group}))
        return group.immutable_id


def _without(table: Mapping[str, T], key: str) -> dict[str, T]:
    return {each: value for each, value in table.items() if each != key}


class TestSampleReader(ReaderContract):
    """The contract, inherited."""

    @pytest.fixture
    def directory(self) -> SampleHand:
        return SampleHand()


def test_the_first_day_has_sixty_people_and_their_groups() -> None:
    observations, end = in_one(list(find_connector("sample").open_reader({}, {}).read(None)))
    people = [each for each in observations if each.kind is Kind.USER]
    assert len(people) == 60
    assert len(observations) - len(people) == 9
    assert [each.problem for each in people if each.problem] == ["the person has no username"]
    assert end.full


def test_the_second_day_changes_some_and_an_incremental_read_tells_exactly_those() -> None:
    first, second = sample_days()
    mirror = Mirror(SampleReader([first]))
    mirror.read()
    later = Mirror(SampleReader([first, second]))
    later.present, later.cursor = mirror.present, mirror.cursor
    changed, end = later.read()
    fresh = Mirror(SampleReader([second]))
    fresh.read()
    assert not end.full
    assert len(changed) < 35
    assert [each.evidence for each in changed].count(Evidence.DELETED) == 3
    assert [each.evidence for each in changed].count(Evidence.OUT_OF_SCOPE) == 1
    assert later.content() == fresh.content()


def test_nobody_in_the_sample_reports_to_somebody_who_is_not_there() -> None:
    for day in sample_days():
        assert {person.manager for person in day.people.values()} - {None} <= set(day.people)


def test_an_outage_can_be_played() -> None:
    with pytest.raises(ReadFailed, match="outage=no"):
        list(find_connector("sample").open_reader({"outage": "yes"}, {}).read(None))


def test_there_is_no_third_day() -> None:
    with pytest.raises(SettingsError, match="day"):
        find_connector("sample").open_reader({"day": "3"}, {})
