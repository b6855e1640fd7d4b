"""What every directory reader promises, as tests to inherit.

A test module derives from ``ReaderContract`` and gives it a ``directory`` fixture: an empty directory that tests may
change, and a reader of it. Directories differ in what an incremental read may tell; ``tells`` says which.
"""

import random
from typing import Protocol

import pytest

from scim_server.domain.observations import DirectoryReader, End, Evidence, Kind, Outcome, ReadFailed
from tests.contract.mirror import Mirror, in_one

GONE = (Evidence.DELETED, Evidence.SOFT_DELETED)
TELLS_DELETIONS = "deletions"
"""An incremental read tells deleted people and groups."""
TELLS_MOVES = "moves"
"""An incremental read tells people who left the scope."""


class Directory(Protocol):
    """A directory in the hand of a test; ids are the immutable ids that the reader reports.

    ``add_user`` gives the person the userName and work address ``<name>@example.test``, ``displayName`` ``name``.
    """

    tells: frozenset[str]

    def reader(self) -> DirectoryReader: ...
    def add_user(self, name: str) -> str: ...
    def rename_user(self, user: str, name: str) -> None: ...
    def set_title(self, user: str, title: str | None) -> None: ...
    def set_enabled(self, user: str, enabled: bool) -> None: ...
    def set_manager(self, user: str, manager: str | None) -> None: ...
    def delete_user(self, user: str) -> None: ...
    def move_out_of_scope(self, user: str) -> None: ...
    def move_into_scope(self, user: str) -> None: ...
    def add_group(self, name: str) -> str: ...
    def rename_group(self, group: str, name: str) -> None: ...
    def delete_group(self, group: str) -> None: ...
    def add_member(self, group: str, member: str) -> None: ...
    def remove_member(self, group: str, member: str) -> None: ...
    def make_unreachable(self) -> None: ...


class ReaderContract:
    """The tests; a subclass offers the fixture ``directory``."""

    def test_a_first_read_brings_everything_and_proves_it_complete(self, directory: Directory) -> None:
        ann, bob = directory.add_user("ann"), directory.add_user("bob")
        team = directory.add_group("team")
        observations, end = in_one(list(directory.reader().read(None)))
        assert {observation.immutable_id for observation in observations} == {ann, bob, team}
        assert all(observation.evidence is Evidence.PRESENT for observation in observations)
        assert (end.end, end.full, end.reason) == (End.COMPLETE, True, "")
        assert end.cursor
        assert end.scope

    def test_a_person_carries_names_address_and_state(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        directory.set_title(ann, "Engineer")
        observation = directory.reader().look_up([ann])[ann]
        assert observation.kind is Kind.USER
        assert observation.attributes["userName"] == "ann@example.test"
        assert observation.attributes["displayName"] == "ann"
        assert observation.attributes["title"] == "Engineer"
        assert observation.attributes["emails"] == [{"value": "ann@example.test", "type": "work", "primary": True}]
        assert observation.enabled is True
        assert observation.problem == ""
        assert observation.read_at.tzinfo is not None

    def test_people_come_before_the_groups_they_are_in(self, directory: Directory) -> None:
        team = directory.add_group("team")
        directory.add_member(team, directory.add_user("ann"))
        observations, _ = in_one(list(directory.reader().read(None)))
        assert [observation.kind for observation in observations] == [Kind.USER, Kind.GROUP]

    def test_nothing_changed_means_nothing_new(self, directory: Directory) -> None:
        directory.add_member(directory.add_group("team"), directory.add_user("ann"))
        mirror = Mirror(directory.reader())
        mirror.read()
        before = mirror.content()
        _, end = mirror.read()
        assert (end.end, end.full) == (End.COMPLETE, False)
        assert mirror.content() == before

    def test_a_new_person_shows_in_the_next_incremental_read(self, directory: Directory) -> None:
        mirror = Mirror(directory.reader())
        mirror.read()
        ann = directory.add_user("ann")
        observations, end = mirror.read()
        assert end.full is False
        assert ann in {observation.immutable_id for observation in observations}

    def test_a_rename_keeps_the_immutable_id(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.rename_user(ann, "anna")
        mirror.read()
        assert list(mirror.present) == [ann]
        assert mirror.present[ann].attributes["userName"] == "anna@example.test"

    def test_a_cleared_attribute_is_told_as_having_no_value(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        directory.set_title(ann, "Engineer")
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.set_title(ann, None)
        mirror.read()
        assert mirror.present[ann].attributes["title"] is None

    def test_a_disabled_person_is_still_present(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.set_enabled(ann, False)
        mirror.read()
        assert mirror.present[ann].enabled is False
        directory.set_enabled(ann, True)
        mirror.read()
        assert mirror.present[ann].enabled is True

    def test_a_manager_is_told_by_immutable_id(self, directory: Directory) -> None:
        ann, bob = directory.add_user("ann"), directory.add_user("bob")
        directory.set_manager(ann, bob)
        mirror = Mirror(directory.reader())
        mirror.read()
        assert (mirror.present[ann].manager, mirror.present[bob].manager) == (bob, None)
        directory.set_manager(ann, None)
        mirror.read()
        assert mirror.present[ann].manager is None

    def test_a_deleted_person_is_proven_gone(self, directory: Directory) -> None:
        ann, bob = directory.add_user("ann"), directory.add_user("bob")
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.delete_user(ann)
        mirror.read(full=TELLS_DELETIONS not in directory.tells)
        assert set(mirror.present) == {bob}
        assert directory.reader().look_up([ann])[ann].evidence in GONE

    def test_a_deleted_group_is_proven_gone(self, directory: Directory) -> None:
        team = directory.add_group("team")
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.delete_group(team)
        mirror.read(full=TELLS_DELETIONS not in directory.tells)
        assert mirror.present == {}
        assert directory.reader().look_up([team])[team].evidence in GONE

    def test_leaving_the_scope_is_not_deletion_and_coming_back_is_noticed(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.move_out_of_scope(ann)
        mirror.read(full=TELLS_MOVES not in directory.tells)
        assert mirror.present == {}
        assert directory.reader().look_up([ann])[ann].evidence is Evidence.OUT_OF_SCOPE
        directory.move_into_scope(ann)
        mirror.read()
        assert set(mirror.present) == {ann}

    def test_members_are_people_and_groups_by_immutable_id(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        team, company = directory.add_group("team"), directory.add_group("company")
        directory.add_member(team, ann)
        directory.add_member(company, team)
        mirror = Mirror(directory.reader())
        mirror.read()
        assert _members(mirror, team) == {ann}
        assert _members(mirror, company) == {team}

    def test_joining_and_leaving_a_group_shows_in_incremental_reads(self, directory: Directory) -> None:
        ann, bob = directory.add_user("ann"), directory.add_user("bob")
        team = directory.add_group("team")
        directory.add_member(team, ann)
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.add_member(team, bob)
        mirror.read()
        assert _members(mirror, team) == {ann, bob}
        directory.remove_member(team, ann)
        mirror.read()
        assert _members(mirror, team) == {bob}
        directory.remove_member(team, bob)
        mirror.read()
        assert _members(mirror, team) == set()

    def test_a_renamed_group_keeps_id_and_members(self, directory: Directory) -> None:
        team, ann = directory.add_group("team"), directory.add_user("ann")
        directory.add_member(team, ann)
        mirror = Mirror(directory.reader())
        mirror.read()
        directory.rename_group(team, "crew")
        mirror.read()
        assert mirror.present[team].attributes["displayName"] == "crew"
        assert _members(mirror, team) == {ann}

    def test_circular_groups_are_read(self, directory: Directory) -> None:
        first, second = directory.add_group("first"), directory.add_group("second")
        directory.add_member(first, second)
        directory.add_member(second, first)
        mirror = Mirror(directory.reader())
        mirror.read()
        assert (_members(mirror, first), _members(mirror, second)) == ({second}, {first})

    def test_a_full_read_can_be_demanded(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        mirror = Mirror(directory.reader())
        mirror.read()
        observations, end = mirror.read(full=True)
        assert end.full is True
        assert [observation.immutable_id for observation in observations] == [ann]

    @pytest.mark.parametrize("cursor", ["", "nonsense", "{}", "[1]", '{"v": 99}'])
    def test_an_unusable_cursor_leads_to_a_full_read(self, directory: Directory, cursor: str) -> None:
        ann = directory.add_user("ann")
        observations, end = in_one(list(directory.reader().read(cursor)))
        assert (end.end, end.full) == (End.COMPLETE, True)
        assert [observation.immutable_id for observation in observations] == [ann]

    def test_a_look_up_leaves_out_what_never_existed_or_calls_it_deleted(self, directory: Directory) -> None:
        unknown = "00000000-0000-4000-8000-000000000000"
        found = directory.reader().look_up([unknown])
        assert all(observation.evidence in GONE for observation in found.values())

    def test_a_person_is_found_by_name_and_address(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        directory.add_user("bob")
        for name in ("ann@example.test", "ann"):
            assert [observation.immutable_id for observation in directory.reader().find(name)] == [ann]
        assert [list(directory.reader().find(name)) for name in ("nobody*", "*", "", " ")] == [[], [], [], []]

    def test_the_connection_test_of_a_working_directory_finds_no_failure(self, directory: Directory) -> None:
        directory.add_user("ann")
        findings = directory.reader().check()
        assert findings
        assert all(finding.outcome is not Outcome.FAILED for finding in findings)
        assert all(finding.remedy for finding in findings if finding.outcome is Outcome.WARNING)

    def test_the_top_can_be_browsed(self, directory: Directory) -> None:
        team = directory.add_group("team")
        places = list(directory.reader().browse(None))
        below = [place for top in places if top.has_children for place in directory.reader().browse(top.id)]
        assert directory.reader().look_up([team])[team].attributes["displayName"] in {
            place.name for place in [*places, *below]
        }

    def test_an_unreachable_directory_is_a_failure_and_never_empty(self, directory: Directory) -> None:
        ann = directory.add_user("ann")
        reader = directory.reader()
        directory.make_unreachable()
        with pytest.raises(ReadFailed, match=r"\w"):
            list(reader.read(None))
        with pytest.raises(ReadFailed):
            reader.look_up([ann])
        with pytest.raises(ReadFailed):
            reader.find("ann")
        failed = [finding for finding in reader.check() if finding.outcome is Outcome.FAILED]
        assert failed
        assert all(finding.remedy for finding in failed)

    def test_after_random_changes_incremental_reads_equal_a_full_read(self, directory: Directory) -> None:
        changes = RandomChanges(directory, random.Random(7))
        mirror = Mirror(directory.reader())
        mirror.read()
        for _ in range(6):
            changes.make(5)
            _, end = mirror.read(full=not directory.tells >= {TELLS_DELETIONS, TELLS_MOVES})
            assert end.end is End.COMPLETE
        fresh = Mirror(directory.reader())
        fresh.read()
        assert mirror.content() == fresh.content()


class RandomChanges:
    """A stream of changes to a directory; members and managers are unlinked before their target goes."""

    def __init__(self, directory: Directory, choose: random.Random) -> None:
        self._directory = directory
        self._choose = choose
        self._numbers = iter(range(1, 1_000_000))
        self._users: list[str] = [directory.add_user(f"user{number}") for number in range(3)]
        self._outside: list[str] = []
        self._groups: list[str] = [directory.add_group(f"group{number}") for number in range(2)]
        self._links: set[tuple[str, str]] = set()

    def make(self, count: int) -> None:
        """So many changes happen."""
        for _ in range(count):
            self._choose.choice([self._add, self._change, self._join, self._leave, self._move, self._delete])()

    def _add(self) -> None:
        self._users.append(self._directory.add_user(f"new{next(self._numbers)}"))

    def _change(self) -> None:
        user = self._choose.choice(self._users)
        if self._choose.random() < 0.5:
            self._directory.rename_user(user, f"renamed{next(self._numbers)}")
        else:
            self._directory.set_title(user, self._choose.choice([None, "Engineer", "Director"]))

    def _join(self) -> None:
        link = (self._choose.choice(self._groups), self._choose.choice(self._users))
        if link not in self._links:
            self._links.add(link)
            self._directory.add_member(*link)

    def _leave(self) -> None:
        if self._links:
            link = self._choose.choice(sorted(self._links))
            self._links.remove(link)
            self._directory.remove_member(*link)

    def _move(self) -> None:
        if self._outside and self._choose.random() < 0.5:
            user = self._outside.pop()
            self._directory.move_into_scope(user)
            self._users.append(user)
        elif len(self._users) > 1:
            user = self._take()
            self._directory.move_out_of_scope(user)
            self._outside.append(user)

    def _delete(self) -> None:
        if len(self._users) > 1:
            self._directory.delete_user(self._take())

    def _take(self) -> str:
        user = self._users.pop(self._choose.randrange(len(self._users)))
        for link in [link for link in self._links if link[1] == user]:
            self._links.remove(link)
            self._directory.remove_member(*link)
        return user


def _members(mirror: Mirror, group: str) -> set[str]:
    return {member.immutable_id for member in mirror.present[group].members or ()}
