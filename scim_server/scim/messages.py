"""The envelopes of the protocol: PATCH, search and bulk requests (RFC 7644 sections 3.4.3, 3.5.2 and 3.7).

marshmallow checks the shape of an envelope, with schemas made once. The lists inside, which may hold thousands of
operations, are read by plain functions: a nested marshmallow schema costs twenty times as much for each of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields
from marshmallow import Schema as Envelope

from scim_server.domain.observations import Json
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidSyntax, InvalidValue, PayloadTooLarge
from scim_server.scim.names import fold_keys
from scim_server.scim.patch import Operation

PATCH_URN = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH_URN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
BULK_URN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"

_SPELLINGS = {
    name.lower(): name
    for name in (
        "Operations",
        "excludedAttributes",
        "sortBy",
        "sortOrder",
        "startIndex",
        "failOnErrors",
        "bulkId",
    )
}
_BULK_KEYS = {name.lower(): name for name in ("method", "path", "bulkId", "version", "data")}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The query of ``POST /.search``; None where the client says nothing."""

    filter: str | None = None
    attributes: Sequence[str] = ()
    excluded_attributes: Sequence[str] = ()
    sort_by: str | None = None
    sort_order: str | None = None
    """``ascending`` or ``descending``."""
    start_index: int | None = None
    count: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """The operations of a bulk request, each with the keys ``method``, ``path``, ``bulkId``, ``version``, ``data``.

    Of an operation only the types are checked; what its method needs is judged operation by operation.
    """

    operations: Sequence[Mapping[str, Json]]
    fail_on_errors: int | None = None


def patch_operations(document: Json, dialect: Dialect, *, max_operations: int) -> list[Operation]:
    """The operations of a PATCH body, in their order; the name of an operation stays as it was sent.

    Raises InvalidSyntax for a wrong shape, PayloadTooLarge above ``max_operations``.
    """
    message = _load(_PATCH_OP, document, PATCH_URN, dialect)
    operations = message.get("operations") or []
    if not operations and not dialect.tolerates(Tolerance.EMPTY_OPERATIONS):
        raise InvalidSyntax("Operations must be a list of at least one operation (RFC 7644 section 3.5.2)")
    _refuse_too_many(operations, max_operations)
    return [_patch_operation(operation, index) for index, operation in enumerate(operations)]


def search_request(document: Json, dialect: Dialect) -> SearchRequest:
    """The query of a ``/.search`` body; raises InvalidSyntax for a wrong shape, InvalidValue for a wrong sortOrder."""
    message = _load(_SEARCH, document, SEARCH_URN, dialect)
    message.pop("schemas", None)
    order = message.get("sort_order")
    if order is not None and order.lower() not in ("ascending", "descending"):
        raise InvalidValue("sortOrder must be ascending or descending")
    if order is not None:
        message["sort_order"] = order.lower()
    return SearchRequest(**{name: value for name, value in message.items() if value is not None})


def bulk_request(document: Json, dialect: Dialect, *, max_operations: int) -> BulkRequest:
    """The operations of a ``/Bulk`` body; raises InvalidSyntax, InvalidValue or PayloadTooLarge."""
    message = _load(_BULK, document, BULK_URN, dialect)
    operations = message.get("operations") or []
    _refuse_too_many(operations, max_operations)
    fail_on_errors = message.get("fail_on_errors")
    if fail_on_errors is not None and fail_on_errors < 1:
        raise InvalidValue("failOnErrors must be at least 1")
    return BulkRequest(
        [_bulk_operation(operation, index) for index, operation in enumerate(operations)], fail_on_errors
    )


def _names(value: Json) -> list[str]:
    """A list of attribute names; one text with commas, as in a query string, is understood too."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValidationError("Not a list of attribute names.")
    return [name.strip() for name in names if name.strip()]


def _objects(value: Json) -> list[dict[str, Json]]:
    """A list of objects, with their keys in lower case."""
    if not isinstance(value, list):
        raise ValidationError("Not a valid list.")
    objects = []
    for index, element in enumerate(value):
        if not isinstance(element, dict):
            raise ValidationError({index: ["Not an object."]})
        objects.append(fold_keys(element, f"Operations[{index}]"))
    return objects


class _Message(Envelope):
    """Keys are in lower case here; keys of no meaning are ignored."""

    class Meta:
        unknown = EXCLUDE

    schemas = fields.List(fields.String(), allow_none=True)


class _PatchOp(_Message):
    operations = fields.Raw(allow_none=True, post_load=[_objects])


class _Search(_Message):
    filter = fields.String(allow_none=True)
    attributes = fields.Raw(allow_none=True, post_load=[_names])
    excluded_attributes = fields.Raw(data_key="excludedattributes", allow_none=True, post_load=[_names])
    sort_by = fields.String(data_key="sortby", allow_none=True)
    sort_order = fields.String(data_key="sortorder", allow_none=True)
    start_index = fields.Integer(data_key="startindex", strict=True, allow_none=True)
    count = fields.Integer(strict=True, allow_none=True)
    cursor = fields.String(allow_none=True)


class _Bulk(_Message):
    operations = fields.Raw(required=True, post_load=[_objects])
    fail_on_errors = fields.Integer(data_key="failonerrors", strict=True, allow_none=True)


# made once: a schema for each request would cost five times its use
_PATCH_OP, _SEARCH, _BULK = _PatchOp(), _Search(), _Bulk()


def _load(envelope: Envelope, document: Json, urn: str, dialect: Dialect) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InvalidSyntax(f"the body must be a JSON object with the schema {urn}")
    try:
        message: dict[str, Any] = envelope.load(fold_keys(document, ""))
    except ValidationError as error:
        raise InvalidSyntax(_in_words(error.messages_dict)) from None
    listed = {schema.lower() for schema in message.get("schemas") or ()}
    if urn.lower() not in listed and not dialect.tolerates(Tolerance.SCHEMAS_INCOMPLETE):
        raise InvalidSyntax(f"schemas lacks {urn}")
    return message


def _in_words(messages: Mapping[str, Any]) -> str:
    """The first complaint of marshmallow: ``Operations[3]: Not an object.``"""
    path = ""
    complaint: Any = messages
    while isinstance(complaint, Mapping):
        key, complaint = next(iter(complaint.items()))
        path += f"[{key}]" if isinstance(key, int) else _SPELLINGS.get(key, str(key))
    return f"{path}: {complaint[0]}"


def _refuse_too_many(operations: Sequence[Json], limit: int) -> None:
    if len(operations) > limit:
        raise PayloadTooLarge(f"the request has {len(operations)} operations; at most {limit} are taken at once")


def _patch_operation(operation: dict[str, Json], index: int) -> Operation:
    name, path = operation.get("op"), operation.get("path")
    if not isinstance(name, str):
        raise InvalidSyntax(f"Operations[{index}].op must be add, remove or replace")
    if path is not None and not isinstance(path, str):
        raise InvalidSyntax(f"Operations[{index}].path must be a string")
    return Operation(name, path or None, operation.get("value"), "value" in operation)


def _bulk_operation(operation: dict[str, Json], index: int) -> dict[str, Json]:
    spelled = {_BULK_KEYS[key]: value for key, value in operation.items() if key in _BULK_KEYS and value is not None}
    for name in ("method", "path"):
        if name not in spelled:
            raise InvalidSyntax(f"Operations[{index}].{name} is required")
    for name, value in spelled.items():
        if name != "data" and not isinstance(value, str):
            raise InvalidSyntax(f"Operations[{index}].{name} must be a string")
    return spelled
