"""Group membership as set changes: the cost does not depend on the size of the group."""

from collections.abc import Collection, Iterable

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Text

from scim_server.scim.json_text import dump
from scim_server.store.engine import Session
from scim_server.store.statements import Statement, insert_unless_there
from scim_server.store.tables.identities import members, resources

_ADD = insert_unless_there(members)
_REMOVE = Statement(
    delete(members).where(
        members.c.tenant_id == bindparam("tenant"),
        members.c.group_pk == bindparam("group"),
        members.c.member_pk == bindparam("member"),
    )
)
_CLEAR = Statement(
    delete(members).where(members.c.tenant_id == bindparam("tenant"), members.c.group_pk == bindparam("group"))
)
_ALL = Statement(
    select(members.c.member_pk).where(
        members.c.tenant_id == bindparam("tenant"), members.c.group_pk == bindparam("group")
    )
)


_GROUPS_OF = Statement(
    select(members.c.group_pk).where(
        members.c.tenant_id == bindparam("tenant"), members.c.member_pk == bindparam("member")
    )
)


def _given_ids(dialect: str) -> ColumnElement[bool]:
    if dialect == "sqlite":
        return resources.c.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value))
    return resources.c.id == func.any(sql_cast(bindparam("ids"), ARRAY(Text)))


_KEYS = Statement(
    lambda dialect: select(resources.c.id, resources.c.pk).where(
        resources.c.tenant_id == bindparam("tenant"), _given_ids(dialect)
    )
)


def numbers_of(session: Session, ids: Collection[str]) -> dict[str, int]:
    """Resource id to number, for users and groups, tombstones included; unknown ids are left out."""
    if not ids:
        return {}
    given = dump(list(ids)).decode() if session.dialect.name == "sqlite" else list(ids)
    return dict(session.all(_KEYS, ids=given))


def add_members(session: Session, group: int, added: Iterable[int]) -> int:
    """These resources are members; how many were not before."""
    return session.many(_ADD, [{"group_pk": group, "member_pk": member} for member in sorted(added)])


def remove_members(session: Session, group: int, removed: Iterable[int]) -> int:
    """These resources are no members; how many were before."""
    return session.many(_REMOVE, [{"group": group, "member": member} for member in sorted(removed)])


def clear_members(session: Session, group: int) -> int:
    """The group is empty; how many members it had."""
    return session.run(_CLEAR, group=group)


def hand_over_memberships(session: Session, member: int, successor: int) -> None:
    """Where the one was a member the other is."""
    groups = [row[0] for row in session.all(_GROUPS_OF, member=member)]
    session.many(_ADD, [{"group_pk": group, "member_pk": successor} for group in groups])
    session.many(_REMOVE, [{"group": group, "member": member} for group in groups])


def replace_members(session: Session, group: int, wanted: Collection[int]) -> int:
    """Exactly these are members; how many rows changed."""
    now = {row[0] for row in session.all(_ALL, group=group)}
    aim = set(wanted)
    return remove_members(session, group, now - aim) + add_members(session, group, aim - now)
