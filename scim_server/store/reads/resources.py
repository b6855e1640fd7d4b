"""Reading single resources, group members and a user's groups: indexed statements, documents as they lie."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, cast, exists, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger

from scim_server.store.engine import Session
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


@dataclass(frozen=True, slots=True)
class MemberOf:
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
    """The live resource of that id and type that ``viewer`` (a source id) may see; a merged one leads to its survivor."""
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


def _groups_of(dialect: str) -> Select[tuple[int, str, str, bool]]:
    # UNION (not UNION ALL) ends the walk where groups contain each other.
    walk = (
        select(members.c.member_pk.label("start"), members.c.group_pk.label("found"), literal(1).label("direct"))
        .where(members.c.tenant_id == bindparam("tenant"), _given_keys(dialect))
        .cte("walk", recursive=True)
    )
    outer = members.alias("outer_members")
    passed = resources.alias("passed")
    walk = walk.union(
        select(walk.c.start, outer.c.group_pk, literal(0))
        .join(passed, and_(passed.c.pk == walk.c.found, passed.c.state == "live"))
        .where(outer.c.tenant_id == bindparam("tenant"), outer.c.member_pk == walk.c.found)
    )
    return (
        select(walk.c.start, resources.c.id, resources.c.display, func.max(walk.c.direct))
        .join(resources, and_(resources.c.pk == walk.c.found, resources.c.state == "live"))
        .where(resources.c.tenant_id == bindparam("tenant"))
        .group_by(walk.c.start, resources.c.pk, resources.c.id, resources.c.display)
        .order_by(walk.c.start, resources.c.pk)
    )


_GROUPS_OF = Statement(_groups_of)


def groups_of(session: Session, keys: Iterable[int]) -> dict[int, list[MemberOf]]:
    """Direct and indirect groups of the resources with these numbers, in one statement."""
    wanted = list(keys)
    if not wanted:
        return {}
    found: dict[int, list[MemberOf]] = {}
    argument = json.dumps(wanted) if session.dialect.name == "sqlite" else wanted
    for start, group_id, display, direct in session.all(_GROUPS_OF, keys=argument):
        found.setdefault(start, []).append(MemberOf(group_id, display, bool(direct)))
    return found


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


def members_of(session: Session, group: int) -> Iterator[tuple[str, str, str]]:
    """(id, type, display) of each live member of the group with that number."""
    for member_id, member_type, display in session.stream(_MEMBERS, group=group):
        yield member_id, member_type, display
