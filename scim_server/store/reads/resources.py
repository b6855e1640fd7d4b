"""Reading single resources, group members and a user's groups: indexed statements, documents as they lie."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, cast, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from scim_server.store.engine import Row, Session
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import links, members, resources


class StoredResource(NamedTuple):
    """A live resource as it lies: ``document`` is JSON text without meta, members, groups and absolute references."""

    pk: int
    id: str
    type: str
    document: str
    version: int
    created_at: str
    modified_at: str
    in_group: bool


STORED = (
    resources.c.pk,
    resources.c.id,
    resources.c.type,
    resources.c.document,
    resources.c.version,
    resources.c.created_at,
    resources.c.modified_at,
    exists(literal_column("1"))
    .where(members.c.tenant_id == bindparam("tenant"), members.c.member_pk == resources.c.pk)
    .correlate(resources)
    .label("in_group"),
)
"""The columns of a StoredResource, for every statement that reads some."""


class MemberOf(NamedTuple):
    """One group of a user: directly, or because a group in between is a member of it."""

    id: str
    display: str
    direct: bool


def visible(viewer: str = "viewer") -> ColumnElement[bool]:
    """True for resources that this source has not itself deleted (another source may still keep them alive)."""
    return ~(
        # SELECT * would make SQLite leave the index for the columns nobody needs.
        exists(literal_column("1"))
        .where(
            links.c.tenant_id == bindparam("tenant"),
            links.c.resource_pk == resources.c.pk,
            links.c.source_id == bindparam(viewer),
            links.c.state == "deleted",
        )
        .correlate(resources)
    )


_BY_ID = Statement(
    select(*STORED).where(
        resources.c.tenant_id == bindparam("tenant"),
        resources.c.id == bindparam("id"),
        resources.c.type == bindparam("type"),
        resources.c.state == "live",
        visible(),
    )
)

_SURVIVOR = Statement(
    select(resources.c.merged_into).where(
        resources.c.tenant_id == bindparam("tenant"),
        resources.c.id == bindparam("id"),
        resources.c.state == "tombstone",
        resources.c.merged_into.is_not(None),
    )
)


def find_resource(session: Session, resource_type: str, resource_id: str, viewer: int) -> StoredResource | None:
    """The live resource of that id and type that ``viewer`` (a source id) may see; a merged one gives its survivor."""
    row = session.one(_BY_ID, id=resource_id, type=resource_type, viewer=viewer)
    if row is not None:
        return StoredResource._make(row)
    survivor = session.one(_SURVIVOR, id=resource_id)
    return find_resource(session, resource_type, survivor[0], viewer) if survivor else None


def _given_keys(dialect: str) -> ColumnElement[bool]:
    """``members.member_pk`` is one of the numbers in the parameter ``keys`` (a JSON list, or an array)."""
    if dialect == "sqlite":
        listed = func.json_each(bindparam("keys")).table_valued("value")
        return members.c.member_pk.in_(select(listed.c.value))
    return members.c.member_pk == func.any(cast(bindparam("keys"), ARRAY(BigInteger)))


_nested = members.alias("nested")


def _direct(of_these: ColumnElement[bool]) -> Select[Any]:
    is_nested = (
        exists(literal_column("1"))
        .where(_nested.c.tenant_id == bindparam("tenant"), _nested.c.member_pk == resources.c.pk)
        .correlate(resources)
    )
    return (
        select(members.c.member_pk, resources.c.pk, resources.c.id, resources.c.display, is_nested)
        .join(resources, and_(resources.c.pk == members.c.group_pk, resources.c.tenant_id == bindparam("tenant")))
        .where(members.c.tenant_id == bindparam("tenant"), of_these, resources.c.state == "live")
        .order_by(members.c.member_pk, members.c.group_pk)
    )


_DIRECT = Statement(lambda dialect: _direct(_given_keys(dialect)))
_DIRECT_OF_ONE = Statement(_direct(members.c.member_pk == bindparam("key")))


def _above(dialect: str) -> Select[tuple[int, int, str, str]]:
    # UNION (not UNION ALL) ends the walk where groups contain each other.
    first = select(members.c.member_pk.label("start"), members.c.group_pk.label("found")).where(
        members.c.tenant_id == bindparam("tenant"), _given_keys(dialect)
    )
    walk = first.cte("walk", recursive=True)
    outer = members.alias("outer_members")
    passed = resources.alias("passed")
    walk = walk.union(
        select(walk.c.start, outer.c.group_pk)
        .join(passed, and_(passed.c.pk == walk.c.found, passed.c.state == "live"))
        .join(outer, and_(outer.c.tenant_id == bindparam("tenant"), outer.c.member_pk == walk.c.found))
        .where(passed.c.tenant_id == bindparam("tenant"))
    )
    return (
        select(walk.c.start, resources.c.pk, resources.c.id, resources.c.display)
        .join(resources, and_(resources.c.pk == walk.c.found, resources.c.state == "live"))
        .where(resources.c.tenant_id == bindparam("tenant"))
        .order_by(walk.c.start, resources.c.pk)
    )


_ABOVE = Statement(_above)


def groups_of(session: Session, keys: Iterable[int]) -> dict[int, list[MemberOf]]:
    """Direct and then indirect groups of the resources with these numbers.

    One statement, and a second where any of the groups is a member of a group: only those few are walked upwards.
    """
    given = list(keys)
    if len(given) == 1:
        direct = session.all(_DIRECT_OF_ONE, key=given[0])
    else:
        direct = session.all(_DIRECT, keys=_listed(session, given))
    if not direct:
        return {}
    known: dict[int, MemberOf] = {}
    found: dict[int, list[MemberOf]] = {}
    for member, pk, group_id, display, _ in direct:
        group = known.get(pk) or known.setdefault(pk, MemberOf(group_id, display, direct=True))
        found.setdefault(member, []).append(group)
    nested = {pk for _, pk, _, _, is_nested in direct if is_nested}
    if nested:
        _add_groups_above(session, direct, nested, found)
    return found


def _add_groups_above(
    session: Session, direct: Sequence[Row], nested: Iterable[int], found: dict[int, list[MemberOf]]
) -> None:
    above: dict[int, list[Row]] = {}
    for start, *group in session.all(_ABOVE, keys=_listed(session, nested)):
        above.setdefault(start, []).append(tuple(group))
    seen = {(member, pk) for member, pk, *_ in direct}
    for member, start, *_ in direct:
        for pk, group_id, display in above.get(start, ()):
            if (member, pk) not in seen:
                seen.add((member, pk))
                found[member].append(MemberOf(group_id, display, direct=False))


def _listed(session: Session, keys: Iterable[int]) -> str | list[int]:
    """Numbers as ``_given_keys`` takes them."""
    return json.dumps(list(keys)) if session.dialect.name == "sqlite" else list(keys)


_MEMBERS = Statement(
    select(resources.c.id, resources.c.type, resources.c.display)
    .join(members, and_(members.c.member_pk == resources.c.pk, members.c.tenant_id == bindparam("tenant")))
    .where(
        members.c.group_pk == bindparam("group"),
        resources.c.tenant_id == bindparam("tenant"),
        resources.c.state == "live",
    )
    .order_by(members.c.member_pk)
)


def members_of(session: Session, group: int) -> Iterator[Row]:
    """(id, type, display) of each live member of the group with that number."""
    yield from session.stream(_MEMBERS, group=group)
