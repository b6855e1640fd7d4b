"""Whatever happens in a unit, reading only what changed leads where reading everything leads."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scim_server.domain.attributes import flatten
from scim_server.reconciler.desired import MANAGER
from scim_server.store.engine import Database
from tests.directories.samba import Domain
from tests.sync_ad.office import Office

PEOPLE, ROUNDS, ACTS = 5, 6, 7


class Life:
    """What happens in a unit, at random; two people now and then want one address."""

    def __init__(self, office: Office, chance: random.Random) -> None:
        self._office = office
        self._chance = chance
        self._number = 0
        self.people: list[str] = []
        self.outside: set[str] = set()
        self.groups = [office.domain.add_group(office.unit, name) for name in ("north", "south")]
        self.someone_was_deleted = False
        for _ in range(PEOPLE):
            self._hire()
        for person in self.people[:2]:
            office.domain.set(person, mail="info@example.test")
        self._acts: list[Callable[[], None]] = [
            self._hire, self._retitle, self._rename, self._readdress, self._readdress, self._readdress,
            self._switch, self._move, self._join, self._join, self._part, self._report, self._leave,
        ]  # fmt: skip

    def go_on(self) -> None:
        """Some things happen."""
        self.someone_was_deleted = False
        for _ in range(ACTS):
            self._chance.choice(self._acts)()

    def _someone(self) -> str:
        if not self.people:
            self._hire()
        return self._chance.choice(self.people)

    def _hire(self) -> None:
        self._number += 1
        self.people.append(self._office.hire(f"p{self._number}"))

    def _retitle(self) -> None:
        self._office.domain.set(self._someone(), title=self._chance.choice(["Buyer", "Planner", None]))

    def _rename(self) -> None:
        self._number += 1
        self._office.call(self._someone(), f"p{self._number}")

    def _readdress(self) -> None:
        address = self._chance.choice(["info@example.test", "info@example.test", "desk@example.test", None])
        self._office.domain.set(self._someone(), mail=address)

    def _switch(self) -> None:
        self._office.enable(self._someone(), self._chance.random() < 0.5)

    def _move(self) -> None:
        person = self._someone()
        there = self._office.unit if person in self.outside else self._office.elsewhere
        self._office.domain.move(person, there)
        self.outside ^= {person}

    def _join(self) -> None:
        group, person = self._chance.choice(self.groups), self._someone()
        if person not in self._members(group):
            self._office.domain.add_member(group, person)

    def _part(self) -> None:
        group = self._chance.choice(self.groups)
        if members := self._members(group):
            self._office.domain.remove_member(group, self._chance.choice(members))

    def _report(self) -> None:
        self._office.domain.set(self._someone(), manager=self._office.domain.dn(self._someone()))

    def _leave(self) -> None:
        person = self._someone()
        self._office.domain.delete(person)
        self.people.remove(person)
        self.outside.discard(person)
        self.someone_was_deleted = True

    def _members(self, group: str) -> list[str]:
        found = self._office.directory.reader().look_up([group])[group]
        members = {member.immutable_id for member in found.members or ()}
        return [person for person in self.people if person in members]


def holdings(office: Office, *, with_managers: bool = False) -> dict[str, Any]:
    """Everybody with attributes, the groups with those members that are there, and who is a duplicate of whom.

    The manager of somebody inactive is left out: whoever is out of scope keeps what was known on leaving it.
    """
    held: dict[str, Any] = {}
    for name, document in office.users().items():
        held[name] = {key: value for key, value in flatten(document).items() if not key.startswith(("meta", "schemas"))}
        if not with_managers or not held[name]["active"]:
            held[name].pop(MANAGER, None)
    there = {user["displayName"] for user in held.values()}
    groups = {group: office.members(group) & there for group in ("north", "south")}
    cases = {(case.kind, case.value, case.immutable_id) for case in office.duplicates()}
    return {**held, **groups, "cases": cases}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[Any]:
    """What is held under a name here and there, where that is not the same."""
    return [(name, one.get(name), other.get(name)) for name in {**one, **other} if one.get(name) != other.get(name)]


@pytest.mark.parametrize("account", ["ordinary", "lister", "dirsync"])
def test_full_equals_incremental(samba: Domain, tmp_path: Path, sqlite_template: Path, account: str) -> None:
    """Two tenants watch one unit. Two things only a full read tells: that a manager was deleted, which is therefore
    compared after one, and, to an account that may not list deleted objects, that anybody was."""
    with (
        _office(samba, sqlite_template, tmp_path / "one.db", account) as by_changes,
        _office(samba, sqlite_template, tmp_path / "two.db", account, beside=by_changes) as anew,
    ):
        life = Life(by_changes, random.Random(account))
        duplicates = 0
        for _ in range(ROUNDS):
            life.go_on()
            by_changes.sync(full=account == "ordinary" and life.someone_was_deleted)
            anew.sync_fully()
            assert differences(holdings(by_changes), holdings(anew)) == []
            duplicates += len(by_changes.duplicates())
        assert duplicates > 0
        by_changes.sync_fully()
        anew.sync_fully()
        one, other = holdings(by_changes, with_managers=True), holdings(anew, with_managers=True)
        assert differences(one, other) == []


@contextmanager
def _office(samba: Domain, template: Path, path: Path, account: str, beside: Office | None = None) -> Iterator[Office]:
    shutil.copyfile(template, path)
    office = Office(Database(f"sqlite:///{path}"), samba, beside=beside, limit_shrunken_percent=0)
    office.connect(bind_as=account)
    try:
        yield office
    finally:
        office.close()
