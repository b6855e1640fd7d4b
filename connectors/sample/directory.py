"""An invented directory of sixty people, as it is on one day and on the next.

It has what directories have: two people with one address, names that differ in case alone, an administrator's second
account, somebody without a username; on day two leavers, movers, joiners, a marriage and two who swapped addresses.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final
from uuid import UUID, uuid5

from scim_server.domain.observations import ImmutableId, Kind

_NAMESPACE: Final = UUID("5f3d6d1c-1d60-4f0c-9a53-6b0c6a2f8f11")
COMPANY: Final = "Harbour Works"


@dataclass(frozen=True, slots=True)
class Person:
    """One person; ``manager`` is an immutable id."""

    immutable_id: ImmutableId
    username: str
    given: str = ""
    family: str = ""
    mail: str = ""
    aliases: tuple[str, ...] = ()
    phone: str = ""
    mobile: str = ""
    title: str = ""
    department: str = ""
    manager: ImmutableId | None = None
    enabled: bool = True
    in_scope: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """One group with the immutable ids of its direct members."""

    immutable_id: ImmutableId
    name: str
    members: frozenset[ImmutableId] = frozenset()


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that is in the directory on a day, by immutable id."""

    people: Mapping[ImmutableId, Person]
    groups: Mapping[ImmutableId, Group]

    def kind_of(self, immutable_id: ImmutableId) -> Kind | None:
        """What the object is; None where it is not there."""
        if immutable_id in self.people:
            return Kind.USER
        return Kind.GROUP if immutable_id in self.groups else None


def sample_days() -> tuple[Day, Day]:
    """The two days."""
    people = list(_rows("people.csv"))
    first = [row for row in people if row["day"] == "1"]
    changes: dict[str, dict[str, str]] = {}
    for change in _rows("day_two.csv"):
        changes.setdefault(change["number"], {})[change["column"]] = change["value"]
    second = [row | changes.get(row["number"], {}) for row in people]
    return _day(first), _day([row for row in second if "deleted" not in row])


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def _day(rows: list[dict[str, str]]) -> Day:
    people = [_person(row) for row in rows]
    here = {person.immutable_id for person in people}
    people = [person if person.manager in here else replace(person, manager=None) for person in people]
    return Day({person.immutable_id: person for person in people}, _groups(people, rows))


def _person(row: Mapping[str, str]) -> Person:
    return Person(
        immutable_id=_id("person", row["number"]),
        username=row["username"],
        given=row["given"],
        family=row["family"],
        mail=row["mail"],
        aliases=tuple(filter(None, row["aliases"].split(";"))),
        phone=row["phone"],
        mobile=row["mobile"],
        title=row["title"],
        department=row["department"],
        manager=_id("person", row["manager"]) if row["manager"] else None,
        enabled=row["enabled"] == "yes",
        in_scope=row["in_scope"] == "yes",
    )


def _groups(people: list[Person], rows: list[dict[str, str]]) -> dict[ImmutableId, Group]:
    """A group for each department and project, and the company, whose members are the departments."""
    members: dict[str, set[ImmutableId]] = {}
    for person, row in zip(people, rows, strict=True):
        for name in filter(None, (person.department, *row["groups"].split(";"))):
            members.setdefault(name, set()).add(person.immutable_id)
    departments = {_id("group", person.department) for person in people}
    groups = [Group(_id("group", name), name, frozenset(ids)) for name, ids in members.items()]
    company = Group(_id("group", COMPANY), COMPANY, frozenset(departments))
    return {group.immutable_id: group for group in [*groups, company]}


def _id(kind: str, name: str) -> ImmutableId:
    return str(uuid5(_NAMESPACE, f"{kind} {name}"))
