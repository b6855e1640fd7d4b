"""Writing resources with the rows that follow from them: value index and counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Insert, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.store.engine import Session
from scim_server.store.reads.resources import visible
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import attribute_values, counts, links, resources

IndexRow = tuple[int, int, str, str]


class Loaded(NamedTuple):
    """A resource locked for writing."""

    pk: int
    id: str
    type: str
    state: str
    active: bool
    version: int
    created_at: str
    modified_at: str
    document: str
    blocked: bool
    privileged: bool


@dataclass(frozen=True, slots=True)
class NewState:
    """What a write leaves in the row; ``document`` is JSON text without meta, members and groups."""

    document: str
    display: str
    active: bool
    at: str


COLUMNS = tuple(resources.c[name] for name in Loaded._fields)
"""The columns of a Loaded."""

_LOAD = Statement(
    select(*COLUMNS)
    .where(
        resources.c.tenant_id == bindparam("tenant"),
        resources.c.id == bindparam("id"),
        resources.c.type == bindparam("type"),
        resources.c.state == "live",
        visible(),
    )
    .with_for_update(of=resources, key_share=True)
)
_LOAD_BY_KEY = Statement(
    select(*COLUMNS)
    .where(resources.c.tenant_id == bindparam("tenant"), resources.c.pk == bindparam("pk"))
    .with_for_update(of=resources, key_share=True)
)
_LOAD_IF_FREE = Statement(
    select(*COLUMNS)
    .where(resources.c.tenant_id == bindparam("tenant"), resources.c.pk == bindparam("pk"))
    .with_for_update(of=resources, key_share=True, skip_locked=True)
)
_INSERT = Statement(
    insert(resources)
    .values(
        {
            name: bindparam(name)
            for name in ("tenant_id", "type", "id", "active", "display", "created_at", "modified_at", "document")
        }
        | {"version": 1, "state": "live"}
    )
    .returning(resources.c.pk)
)
_UPDATE = Statement(
    update(resources)
    .where(resources.c.tenant_id == bindparam("tenant"), resources.c.pk == bindparam("key"))
    .values(
        document=bindparam("text"),
        display=bindparam("shown"),
        active=bindparam("is_active"),
        modified_at=bindparam("at"),
        version=resources.c.version + 1,
    )
)
_TOUCH = Statement(
    update(resources)
    .where(resources.c.tenant_id == bindparam("tenant"), resources.c.pk == bindparam("key"))
    .values(modified_at=bindparam("at"), version=resources.c.version + 1)
)
_SET_STATE = Statement(
    update(resources)
    .where(resources.c.tenant_id == bindparam("tenant"), resources.c.pk == bindparam("key"))
    .values(state=bindparam("new_state"), modified_at=bindparam("at"), version=resources.c.version + 1)
)
_SET_SURVIVOR = Statement(
    update(resources)
    .where(resources.c.tenant_id == bindparam("tenant"), resources.c.pk == bindparam("key"))
    .values(merged_into=bindparam("survivor"))
)
_INSERT_VALUE = Statement(
    insert(attribute_values).values({column.name: bindparam(column.name) for column in attribute_values.c})
)
_DELETE_VALUE = Statement(
    delete(attribute_values).where(
        attribute_values.c.tenant_id == bindparam("tenant"),
        attribute_values.c.resource_pk == bindparam("resource_pk"),
        attribute_values.c.attribute == bindparam("attribute"),
        attribute_values.c.element == bindparam("element"),
    )
)
_DELETE_VALUES = Statement(
    delete(attribute_values).where(
        attribute_values.c.tenant_id == bindparam("tenant"), attribute_values.c.resource_pk == bindparam("key")
    )
)


def _counted(dialect: str) -> Insert:
    # One statement: of two first resources at once, an update that finds no row would lose one.
    added = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(counts)
    added = added.values({name: bindparam(name) for name in ("tenant_id", "type", "live")})
    return added.on_conflict_do_update(
        index_elements=["tenant_id", "type"], set_={"live": counts.c.live + added.excluded.live}
    )


_COUNT = Statement(_counted)
_PRESENT_ELSEWHERE = Statement(
    select(links.c.source_id).where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.resource_pk == bindparam("key"),
        links.c.state == "present",
        or_(links.c.source_id != bindparam("source")),
    )
)


def load(session: Session, resource_type: str, resource_id: str, viewer: int) -> Loaded | None:
    """The live resource of that id, locked until the transaction ends; None where ``viewer`` may not see it."""
    row = session.one(_LOAD, id=resource_id, type=resource_type, viewer=viewer)
    return Loaded._make(row) if row else None


def load_by_key(session: Session, pk: int) -> Loaded | None:
    """The resource with that number in any state, locked until the transaction ends."""
    row = session.one(_LOAD_BY_KEY, pk=pk)
    return Loaded._make(row) if row else None


def load_if_free(session: Session, pk: int) -> Loaded | None:
    """As ``load_by_key``, but None where another transaction is changing the resource: nobody waits, so nobody can wait
    for each other."""
    row = session.one(_LOAD_IF_FREE, pk=pk)
    return Loaded._make(row) if row else None


def insert_resource(session: Session, resource_type: str, resource_id: str, new: NewState) -> int:
    """A live resource of version 1 exists, not counted yet; its number is returned."""
    row = session.one(
        _INSERT,
        type=resource_type,
        id=resource_id,
        active=new.active,
        display=new.display,
        created_at=new.at,
        modified_at=new.at,
        document=new.document,
    )
    return int(row[0]) if row else 0


def update_resource(session: Session, pk: int, new: NewState) -> None:
    """The row holds the new document under the next version."""
    session.run(_UPDATE, key=pk, text=new.document, shown=new.display, is_active=new.active, at=new.at)


def touch(session: Session, pk: int, at: str) -> None:
    """The resource counts as changed: next version, new time (a group's members changed)."""
    session.run(_TOUCH, key=pk, at=at)


def bury(session: Session, pk: int, resource_type: str, at: str) -> None:
    """The resource is a tombstone: invisible to clients and filters; its row stays for a restore."""
    session.run(_SET_STATE, key=pk, new_state="tombstone", at=at)
    session.run(_DELETE_VALUES, key=pk)
    change_count(session, resource_type, -1)


def set_survivor(session: Session, pk: int, survivor: str) -> None:
    """The id of the resource leads to the survivor, once the resource is a tombstone."""
    session.run(_SET_SURVIVOR, key=pk, survivor=survivor)


def revive(session: Session, pk: int, resource_type: str, at: str) -> None:
    """A tombstone is live again; its value index must be written anew."""
    session.run(_SET_STATE, key=pk, new_state="live", at=at)
    change_count(session, resource_type, +1)


def change_count(session: Session, resource_type: str, change: int) -> None:
    """The number of live resources of that type is kept in step."""
    session.run(_COUNT, type=resource_type, live=change)


def write_values(session: Session, pk: int, before: Iterable[IndexRow], after: Iterable[IndexRow]) -> None:
    """The value index of the resource holds ``after``; only rows that differ from ``before`` are touched."""
    write_all_values(session, [(pk, before, after)])


def write_all_values(session: Session, changes: Iterable[tuple[int, Iterable[IndexRow], Iterable[IndexRow]]]) -> None:
    """The value index of each resource, (pk, before, after), holds ``after``; only rows that differ are touched."""
    gone: list[dict[str, Any]] = []
    come: list[dict[str, Any]] = []
    for pk, before, after in changes:
        old, new = set(before), set(after)
        gone += [{"resource_pk": pk, "attribute": row[0], "element": row[1]} for row in old - new]
        come += [
            {"resource_pk": pk, "attribute": attribute, "element": element, "head": head, "tail": tail}
            for attribute, element, head, tail in sorted(new - old)  # in the order of the table
        ]
    session.many(_DELETE_VALUE, gone)
    session.many(_INSERT_VALUE, come)


def sources_elsewhere(session: Session, pk: int, source: int) -> list[int]:
    """The other sources whose present link keeps this resource alive."""
    return [row[0] for row in session.all(_PRESENT_ELSEWHERE, key=pk, source=source)]
