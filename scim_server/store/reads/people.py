"""Pages of users or groups for people who look: searched by how values begin, filtered, sorted, by cursor.

Prefixes, because the value index answers them at any size; SCIM filters stay there for everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal_column, or_, select, tuple_, union

from scim_server.domain.keys import fold
from scim_server.scim.registry import ResourceType
from scim_server.store.engine import Session
from scim_server.store.listed import among, argument
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import attribute_values, claims, counts, duplicates, links, members, resources

_SEARCHED = {
    "User": ("userName", "displayName", "name.givenName", "name.familyName", "emails.value", "externalId"),
    "Group": ("displayName", "externalId"),
}
_NAMED_BY = {"User": "userName", "Group": "displayName"}
_LONGEST_SEARCH = 100
_BEHIND_ALL = "\U0010ffff"
_TENANT: Any = bindparam("tenant")
BY_NAME, BY_CHANGE = "name", "modified"


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """What a page shows; ``source`` is a source id, ``active`` and ``duplicated`` of None mean both."""

    search: str = ""
    active: bool | None = None
    source: int | None = None
    duplicated: bool = False
    sort: str = BY_NAME
    descending: bool = False


class Place(NamedTuple):
    """Where a page ended."""

    key: str
    pk: int


class Person(NamedTuple):
    """One row: a live user or group; ``document`` is JSON text, ``sources`` are names of those that link it."""

    pk: int
    id: str
    document: str
    active: bool
    modified_at: str
    key: str
    sources: tuple[str, ...] = ()
    has_duplicate: bool = False


class Member(NamedTuple):
    """A direct member of a group."""

    id: str
    type: str
    display: str


@dataclass(frozen=True, slots=True)
class People:
    """One page, how many there are in all, and where the next page begins."""

    rows: list[Person]
    total: int
    next: Place | None


@dataclass(frozen=True, slots=True)
class _Statements:
    first: Statement
    after: Statement
    count: Statement


def find_people(
    session: Session, kind: ResourceType, query: PeopleQuery, limit: int, after: Place | None = None
) -> People:
    """Up to ``limit`` users or groups behind ``after``."""
    text = fold(query.search.strip())[:_LONGEST_SEARCH]
    statements = _statements(
        kind.name, _numbers(kind), replace(query, search="given" if text else "", source=_flag(query))
    )
    values: dict[str, Any] = {"source": query.source, "low": text, "high": text + _BEHIND_ALL}
    values |= {"exact": query.search.strip().lower()}
    place = {"key": after.key, "pk": after.pk} if after else {}
    found = session.all(statements.after if after else statements.first, limit=limit + 1, **place, **values)
    page = [Person(*row) for row in found[:limit]]
    total = session.one(_LIVE if query == _everybody(query) else statements.count, kind=kind.name, **values)
    return People(
        rows=_with_marks(session, page),
        total=total[0] if total else 0,
        next=Place(page[-1].key, page[-1].pk) if len(found) > limit else None,
    )


def count_members(session: Session, groups: Sequence[int]) -> dict[int, int]:
    """How many direct members the groups with these numbers have."""
    return dict(session.all(_MEMBERS, keys=argument(session, groups)))


def first_members(session: Session, group: int, limit: int) -> list[Member]:
    """The first members of the group with that number."""
    return [Member._make(row) for row in session.all(_FIRST_MEMBERS, group=group, limit=limit)]


def _flag(query: PeopleQuery) -> int | None:
    return None if query.source is None else 1


def _everybody(query: PeopleQuery) -> PeopleQuery:
    return PeopleQuery(sort=query.sort, descending=query.descending)


def _numbers(kind: ResourceType) -> tuple[int, tuple[int, ...]]:
    """The numbers of the attribute that names a resource, and of those that are searched."""
    searched = [kind.find(name.partition(".")[0], sub=name.partition(".")[2] or None) for name in _SEARCHED[kind.name]]
    named = kind.find(_NAMED_BY[kind.name])
    return named.number if named else 0, tuple(ref.number for ref in searched if ref)


@lru_cache(maxsize=256)
def _statements(kind: str, numbers: tuple[int, tuple[int, ...]], query: PeopleQuery) -> _Statements:
    """The statements of a shape of query: only whether it has a search and a source counts, not which."""
    named, searched = numbers
    name = attribute_values.alias("named")
    is_by_name = query.sort == BY_NAME
    key: ColumnElement[Any] = name.c.head if is_by_name else resources.c.modified_at
    where = and_(*_conditions(kind, query, searched))
    columns = (resources.c.pk, resources.c.id, resources.c.document, resources.c.active, resources.c.modified_at, key)
    base: Select[Any] = select(*columns)
    if is_by_name:
        is_name = and_(
            name.c.tenant_id == _TENANT,
            name.c.attribute == literal_column(str(named)),
            name.c.resource_pk == resources.c.pk,
            name.c.element == literal_column("0"),
        )
        base = base.select_from(name).join(resources, is_name)
    base = base.where(where)
    order = (key.desc(), resources.c.pk.desc()) if query.descending else (key, resources.c.pk)
    ordered = base.order_by(*order).limit(bindparam("limit"))
    here: Any = tuple_(key, resources.c.pk)
    there: Any = tuple_(bindparam("key"), bindparam("pk"))
    return _Statements(
        first=Statement(ordered),
        after=Statement(ordered.where(here < there if query.descending else here > there)),
        count=Statement(select(func.count()).select_from(resources).where(where)),
    )


def _conditions(kind: str, query: PeopleQuery, searched: Sequence[int]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        resources.c.tenant_id == _TENANT,
        resources.c.type == literal_column(f"'{kind}'"),
        resources.c.state == literal_column("'live'"),
    ]
    if query.active is not None:
        found.append(resources.c.active.is_(query.active))
    if query.source is not None:
        linked = exists(literal_column("1")).where(
            links.c.tenant_id == _TENANT,
            links.c.resource_pk == resources.c.pk,
            links.c.source_id == bindparam("source"),
            links.c.state == literal_column("'present'"),
        )
        found.append(linked.correlate(resources))
    if query.duplicated:
        found.append(resources.c.pk.in_(union(_waiting(), _disputed())))
    if query.search:
        numbers: list[ColumnElement[int]] = [literal_column(str(number)) for number in searched]
        begins = select(attribute_values.c.resource_pk).where(
            attribute_values.c.tenant_id == _TENANT,
            attribute_values.c.attribute.in_(numbers),
            attribute_values.c.head >= bindparam("low"),
            attribute_values.c.head < bindparam("high"),
        )
        found.append(or_(resources.c.pk.in_(begins), resources.c.id == bindparam("exact")))
    return found


def _waiting() -> Select[Any]:
    """Resources that an open duplicate is about."""
    return select(duplicates.c.resource_pk).where(
        duplicates.c.tenant_id == _TENANT,
        duplicates.c.status == literal_column("'open'"),
        duplicates.c.resource_pk.is_not(None),
    )


def _disputed() -> Select[Any]:
    """Resources that hold a value somebody else waits for."""
    same = and_(
        claims.c.tenant_id == duplicates.c.tenant_id, claims.c.ns == duplicates.c.ns, claims.c.key == duplicates.c.key
    )
    return (
        select(claims.c.resource_pk)
        .select_from(duplicates)
        .join(claims, same)
        .where(duplicates.c.tenant_id == _TENANT, duplicates.c.status == literal_column("'open'"))
    )


def _of_page(dialect: str) -> Select[Any]:
    marked = union(_waiting(), _disputed()).subquery()
    return select(marked.c.resource_pk).where(among(marked.c.resource_pk, "keys", dialect, numbers=True))


_MARKED = Statement(_of_page)
_NAMES = Statement(
    lambda dialect: (
        select(links.c.resource_pk, sources.c.name)
        .join(sources, sources.c.id == links.c.source_id)
        .where(
            links.c.tenant_id == _TENANT,
            links.c.state == literal_column("'present'"),
            among(links.c.resource_pk, "keys", dialect, numbers=True),
        )
        .order_by(sources.c.rank, sources.c.name)
    )
)
_MEMBERS = Statement(
    lambda dialect: (
        select(members.c.group_pk, func.count())
        .where(members.c.tenant_id == _TENANT, among(members.c.group_pk, "keys", dialect, numbers=True))
        .group_by(members.c.group_pk)
    )
)
_FIRST_MEMBERS = Statement(
    select(resources.c.id, resources.c.type, resources.c.display)
    .join(members, and_(members.c.tenant_id == _TENANT, members.c.member_pk == resources.c.pk))
    .where(
        members.c.group_pk == bindparam("group"),
        resources.c.tenant_id == _TENANT,
        resources.c.state == literal_column("'live'"),
    )
    .order_by(members.c.member_pk)
    .limit(bindparam("limit"))
)
_LIVE = Statement(
    select(func.coalesce(func.max(counts.c.live), 0)).where(
        counts.c.tenant_id == _TENANT, counts.c.type == bindparam("kind")
    )
)


def _with_marks(session: Session, page: list[Person]) -> list[Person]:
    """The rows with the sources that link them, and whether a duplicate is about them."""
    keys = argument(session, [person.pk for person in page])
    named: dict[int, list[str]] = {}
    for pk, name in session.all(_NAMES, keys=keys):
        named.setdefault(pk, []).append(name)
    marked = {row[0] for row in session.all(_MARKED, keys=keys)}
    return [
        person._replace(
            active=bool(person.active),
            sources=tuple(dict.fromkeys(named.get(person.pk, ()))),
            has_duplicate=person.pk in marked,
        )
        for person in page
    ]
