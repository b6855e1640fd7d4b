"""Extension schemas that a tenant adds at run time, and the schema registry that results."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from scim_server.admin.errors import NotThere, Refused, StillInUse
from scim_server.domain.times import Clock, SystemClock, from_text, to_text
from scim_server.scim.characteristics import Schema
from scim_server.scim.errors import ScimError
from scim_server.scim.registry import SchemaRegistry
from scim_server.scim.schemas.document import from_document, to_document
from scim_server.store.admin import schemas as stored_schemas
from scim_server.store.admin.schemas import StoredSchema
from scim_server.store.engine import Database, Session

_FRESH = timedelta(seconds=5)  # a schema added by another process is served this soon

_Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AddedSchema:
    """An extension schema and the resource type it extends ("User", "Group")."""

    schema: Schema
    resource_type: str
    created_at: datetime


class SchemaCatalog:
    """The schema registry of each tenant, read anew every few seconds; an unchanged one stays the same object."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._known: dict[int, tuple[SchemaRegistry, datetime]] = {}

    def registry(self, tenant_id: int) -> SchemaRegistry:
        """The resource types of the tenant with its extensions."""
        now = self._clock.now()
        known = self._known.get(tenant_id)
        if known is not None and now < known[1]:
            return known[0]
        with self._database.reading(tenant_id) as session:
            registry = _registry(_rows(session))
        self._known[tenant_id] = (registry, now + _FRESH)
        return registry


class Schemas:
    """What administrators do with the extension schemas of a tenant."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(self, tenant_id: int) -> list[AddedSchema]:
        """Every extension schema of the tenant."""
        with self._database.reading(tenant_id) as session:
            return [_added(stored) for stored in stored_schemas.list_all(session)]

    def add(self, tenant_id: int, document: Any, resource_type: str) -> AddedSchema:
        """The resource type has the extension that the JSON document describes (RFC 7643 section 7).

        Raises Refused naming the attribute that is wrong, or where the tenant already has the URN.
        """
        try:
            schema = from_document(document)
        except ScimError as error:
            raise Refused(error.detail) from error
        now = self._clock.now()
        text = orjson.dumps(to_document(schema)).decode()
        with self._database.writing(tenant_id) as session:
            for other in stored_schemas.list_all(session):
                if other.id.lower() == schema.id.lower() and (
                    other.resource_type == resource_type or other.document != text
                ):
                    raise Refused(f"there is a schema {other.id} for {other.resource_type} already; remove it first")
            try:
                _registry((*_rows(session), (resource_type, text)))
            except ValueError as error:
                raise Refused(str(error)) from error
            stored_schemas.add(
                session, schema_id=schema.id, resource_type=resource_type, document=text, created_at=to_text(now)
            )
        return AddedSchema(schema, resource_type, now)

    def remove(self, tenant_id: int, urn: str, resource_type: str | None = None) -> None:
        """The extension is gone from the resource type (from both by default).

        Raises NotThere, and StillInUse while any resource, a deleted but restorable one too, holds a value of it.
        """
        with self._database.writing(tenant_id) as session:
            found = [
                stored
                for stored in stored_schemas.list_all(session)
                if stored.id.lower() == urn.lower() and resource_type in (None, stored.resource_type)
            ]
            if not found:
                raise NotThere(f"no schema {urn!r} was added; `scim-server schema list` shows all")
            for stored in found:
                uses = stored_schemas.count_uses(session, stored.id, stored.resource_type)
                if uses:
                    raise StillInUse(f"{uses} resources of type {stored.resource_type} hold values of {stored.id}")
                stored_schemas.remove(session, stored.id, stored.resource_type)


def _rows(session: Session) -> _Rows:
    return tuple((stored.resource_type, stored.document) for stored in stored_schemas.list_all(session))


@lru_cache(maxsize=64)
def _registry(rows: _Rows) -> SchemaRegistry:
    extensions: dict[str, list[Schema]] = {"User": [], "Group": []}
    for resource_type, document in rows:
        extensions[resource_type].append(from_document(orjson.loads(document)))
    return SchemaRegistry.standard(extensions["User"], extensions["Group"])


def _added(stored: StoredSchema) -> AddedSchema:
    return AddedSchema(from_document(orjson.loads(stored.document)), stored.resource_type, from_text(stored.created_at))
