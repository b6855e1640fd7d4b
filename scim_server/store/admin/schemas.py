"""Statements about the extension schemas that a tenant added."""

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, delete, func, select

from scim_server.store.admin.inserts import insert_new
from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import schemas
from scim_server.store.tables.identities import resources

_MINE = schemas.c.tenant_id == bindparam("tenant")
_ALL = Statement(
    select(schemas.c.id, schemas.c.resource_type, schemas.c.document, schemas.c.created_at)
    .where(_MINE)
    .order_by(schemas.c.id, schemas.c.resource_type)
)
_INSERT = insert_new(schemas, "tenant_id", "id", "resource_type", "document", "created_at", returning=schemas.c.id)
_DELETE = Statement(
    delete(schemas).where(_MINE, schemas.c.id == bindparam("id"), schemas.c.resource_type == bindparam("resource_type"))
)


def _count_uses(dialect: str) -> Select[int]:
    position = func.instr if dialect == "sqlite" else func.strpos
    return select(func.count()).where(
        resources.c.tenant_id == bindparam("tenant"),
        resources.c.type == bindparam("resource_type"),
        position(resources.c.document, bindparam("key")) > 0,
    )


_COUNT_USES = Statement(_count_uses)


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """A row of ``schemas``; ``document`` is the JSON text of RFC 7643 section 7."""

    id: str
    resource_type: str
    document: str
    created_at: str


def list_all(session: Session) -> list[StoredSchema]:
    """Every extension schema of the tenant."""
    return [StoredSchema(*row) for row in session.all(_ALL)]


def add(session: Session, *, schema_id: str, resource_type: str, document: str, created_at: str) -> bool:
    """The schema is stored; False where the resource type has it already."""
    values = {"id": schema_id, "resource_type": resource_type, "document": document, "created_at": created_at}
    return bool(session.all(_INSERT, **values))


def remove(session: Session, schema_id: str, resource_type: str) -> bool:
    """The schema is gone; False if it was not there."""
    return session.run(_DELETE, id=schema_id, resource_type=resource_type) > 0


def count_uses(session: Session, schema_id: str, resource_type: str) -> int:
    """How many resources, deleted but restorable ones too, hold values of the extension."""
    # A quote within a JSON string is escaped, so this finds the URN as a key and never inside a value.
    row = session.one(_COUNT_USES, resource_type=resource_type, key=f'"{schema_id}":')
    return row[0] if row else 0
