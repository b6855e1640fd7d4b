"""A whole resource from a client, as the canonical document (RFC 7643 section 3, RFC 7644 sections 3.3 and 3.5.1)."""

from collections.abc import Mapping
from typing import NamedTuple

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Schema
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidSyntax, InvalidValue, Mutability
from scim_server.scim.names import fold_keys, qualified, shorten
from scim_server.scim.registry import COMMON, ResourceType
from scim_server.scim.values import accept, is_unassigned

_EXTERNAL_ID = next(attribute for attribute in COMMON if attribute.name == "externalId")


class _Given(NamedTuple):
    """What the client sent, sorted by schema; attribute names as the schema spells them."""

    core: dict[str, Json]
    extensions: dict[str, dict[str, Json]]


def validate_create(document: Json, resource_type: ResourceType, dialect: Dialect) -> dict[str, Json]:
    """The canonical document of a POST body, in the order of the schema, without ``id`` and ``meta``.

    Read-only attributes are ignored, ``password`` and every other write-only value is checked and discarded.
    Raises InvalidSyntax or InvalidValue that names the attribute.
    """
    return _validate(document, resource_type, {}, dialect)


def validate_replace(
    document: Json, resource_type: ResourceType, current: Mapping[str, Json], dialect: Dialect
) -> dict[str, Json]:
    """The canonical document of a PUT body over the ``current`` one, without ``id`` and ``meta``.

    What the body leaves out is cleared, save read-only and immutable values. Raises Mutability where an immutable
    value would change, else as validate_create.
    """
    return _validate(document, resource_type, current, dialect)


def require(document: Mapping[str, Json], resource_type: ResourceType) -> None:
    """Raise InvalidValue when the canonical document lacks a required attribute or sub-attribute.

    The required attributes of an extension count where the resource has data of that extension.
    """
    _require(resource_type.core, document, prefix="")
    for schema in resource_type.extensions:
        if schema.id in document:
            _require(schema, document[schema.id], prefix=f"{schema.id}:")


def _validate(
    document: Json, resource_type: ResourceType, current: Mapping[str, Json], dialect: Dialect
) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise InvalidSyntax(f"the body must be a JSON object that describes a {resource_type.name}")
    given = _sort_by_schema(document, resource_type, dialect)
    if (
        "active" in current
        and is_unassigned(given.core.get("active"))
        and dialect.tolerates(Tolerance.KEEP_ACTIVE_ON_PUT)
    ):
        given.core["active"] = current["active"]
    canonical: dict[str, Json] = {"schemas": [resource_type.core.id]}
    canonical |= _accept_table((_EXTERNAL_ID, *resource_type.core), given.core, current, dialect, prefix="")
    for schema in resource_type.extensions:
        data = _accept_table(
            schema.attributes,
            given.extensions.get(schema.id, {}),
            current.get(schema.id, {}),
            dialect,
            prefix=f"{schema.id}:",
        )
        if data:
            canonical["schemas"].append(schema.id)
            canonical[schema.id] = data
    require(canonical, resource_type)
    return canonical


def _sort_by_schema(document: dict[str, Json], resource_type: ResourceType, dialect: Dialect) -> _Given:
    given = _Given({}, {})
    folded = fold_keys(document, "")
    _check_schemas(folded.get("schemas"), resource_type, dialect)
    composed = []
    for key, value in folded.items():
        if attribute := resource_type.core.attribute(key):
            given.core[attribute.name] = value
        elif schema := resource_type.extensions_by_urn.get(key):
            _place_extension(schema, value, given, dialect)
        elif "." in key or ":" in key:
            composed.append(key)
        else:
            _place_bare(key, value, given, resource_type, dialect)
    # after the plain names, so that "name.familyName" joins the object "name"
    for key in composed:
        _place_composed(key, folded[key], given, resource_type, dialect)
    _check_schemas_complete(folded.get("schemas"), given, resource_type, dialect)
    return given


def _place_bare(key: str, value: Json, given: _Given, resource_type: ResourceType, dialect: Dialect) -> None:
    """Place a common attribute, or one of an extension that Entra ID writes without its URN."""
    reference = resource_type.find(key)
    if reference is None:
        _drop_unknown(key, dialect)
    elif not reference.urn:
        given.core[reference.attribute.name] = value
    elif not dialect.tolerates(Tolerance.UNQUALIFIED_EXTENSION_NAMES):
        raise InvalidValue(f"{shorten(key)} belongs to the schema {reference.urn} and needs its URN")
    elif not is_unassigned(value):
        _place(given.extensions.setdefault(reference.urn, {}), reference.attribute.name, None, value)


def _place_composed(key: str, value: Json, given: _Given, resource_type: ResourceType, dialect: Dialect) -> None:
    """Place what Entra ID composes: ``URN:attr``, ``URN:attr.sub``, ``name.familyName``."""
    name = qualified(key, resource_type)
    attribute_name, _, sub_name = (name.rest if name else key).partition(".")
    reference = resource_type.find(attribute_name, urn=name.schema.id if name else None, sub=sub_name or None)
    if reference is None or (reference.sub and reference.is_multi_valued):
        _drop_unknown(key, dialect)
        return
    tolerance = Tolerance.DOTTED_URN if name and name.separator == "." else Tolerance.QUALIFIED_KEYS
    if not dialect.tolerates(tolerance):
        raise InvalidValue(f"{shorten(key)} is no attribute name; its value belongs into an object")
    table = given.extensions.setdefault(reference.urn, {}) if reference.urn else given.core
    _place(table, reference.attribute.name, reference.sub.name if reference.sub else None, value)


def _place_extension(schema: Schema, value: Json, given: _Given, dialect: Dialect) -> None:
    if is_unassigned(value):
        return
    if not isinstance(value, dict):
        raise InvalidValue(f"{schema.id} must be an object")
    table = given.extensions.setdefault(schema.id, {})
    for name, item in fold_keys(value, schema.id).items():
        if attribute := schema.attribute(name):
            _place(table, attribute.name, None, item)
        else:
            _drop_unknown(f"{schema.id}:{name}", dialect)


def _place(table: dict[str, Json], name: str, sub_name: str | None, value: Json) -> None:
    present = table.get(name)
    if present is None or is_unassigned(present):
        table[name] = {sub_name: value} if sub_name else value
        return
    if is_unassigned(value):
        return
    if sub_name is None or not isinstance(present, dict) or sub_name.lower() in fold_keys(present, name):
        raise InvalidSyntax(f"the body has a value for {shorten(f'{name}.{sub_name}' if sub_name else name)} twice")
    table[name] = {**present, sub_name: value}


def _drop_unknown(name: str, dialect: Dialect) -> None:
    if not dialect.tolerates(Tolerance.UNKNOWN_ATTRIBUTES):
        raise InvalidValue(f"no schema of this resource type has an attribute {shorten(name)} (compared without case)")


def _check_schemas(schemas: Json, resource_type: ResourceType, dialect: Dialect) -> None:
    if schemas is not None and not (isinstance(schemas, list) and all(isinstance(urn, str) for urn in schemas)):
        raise InvalidSyntax("schemas must be a list of URNs")
    for urn in schemas or ():
        known = urn.lower() == resource_type.core.id.lower() or urn.lower() in resource_type.extensions_by_urn
        if not known and not dialect.tolerates(Tolerance.UNKNOWN_SCHEMAS):
            raise InvalidValue(f"{shorten(urn)} is not a schema of the resource type {resource_type.name}")


def _check_schemas_complete(schemas: Json, given: _Given, resource_type: ResourceType, dialect: Dialect) -> None:
    listed = {urn.lower() for urn in schemas or ()}
    for urn in (resource_type.core.id, *given.extensions):
        if urn.lower() not in listed and not dialect.tolerates(Tolerance.SCHEMAS_INCOMPLETE):
            raise InvalidSyntax(f"schemas lacks {urn}")


def _accept_table(
    attributes: tuple[Attribute, ...],
    given: dict[str, Json],
    current: Mapping[str, Json],
    dialect: Dialect,
    *,
    prefix: str,
) -> dict[str, Json]:
    """The canonical values of one schema, out of what was ``given`` and, for a PUT, the ``current`` values."""
    accepted: dict[str, Json] = {}
    for attribute in attributes:
        name = attribute.name
        value = given.get(name)
        if value is None and name not in current:
            continue
        if attribute.is_read_only:
            value = current.get(name)
        elif value is not None:
            value = accept(attribute, value, dialect, prefix + name)
        if attribute.is_write_only:
            continue
        if name in current:
            value = _keep_immutable(attribute, value, current[name], prefix + name)
        if value is not None:
            accepted[name] = value
    return accepted


def _keep_immutable(attribute: Attribute, value: Json | None, present: Json, path: str) -> Json | None:
    """The value after a PUT; once set, an immutable one must match or be left out (RFC 7644 section 3.5.1)."""
    if attribute.is_immutable:
        if value is not None and value != present:
            raise Mutability(f"{path} is immutable; it can be set once and not changed")
        return present
    if value is None or attribute.multi_valued or not any(sub.is_immutable for sub in attribute.sub_attributes):
        return value
    merged = {sub.name: value.get(sub.name) for sub in attribute.sub_attributes}
    for sub in attribute.sub_attributes:
        if sub.name in present:
            merged[sub.name] = _keep_immutable(sub, merged[sub.name], present[sub.name], f"{path}.{sub.name}")
    return {name: item for name, item in merged.items() if item is not None}


def _require(schema: Schema, data: Mapping[str, Json], *, prefix: str) -> None:
    for attribute in schema:
        value = data.get(attribute.name)
        if value is None:
            if attribute.required and not (attribute.is_read_only or attribute.is_write_only):
                raise InvalidValue(f"{prefix}{attribute.name} is required and must not be empty")
        elif attribute.required_sub_names:
            _require_sub_attributes(attribute, value if attribute.multi_valued else [value], prefix)


def _require_sub_attributes(attribute: Attribute, elements: list[Json], prefix: str) -> None:
    for name in attribute.required_sub_names:
        if any(name not in element for element in elements):
            raise InvalidValue(f"{prefix}{attribute.name}.{name} is required and must not be empty")
