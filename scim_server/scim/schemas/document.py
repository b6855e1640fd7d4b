"""Schemas as JSON documents (RFC 7643 section 7): shown at ``/Schemas``, and read for extensions added at run time."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Mutability, Returned, Schema, Type, Uniqueness
from scim_server.scim.errors import InvalidValue

SCHEMA_URN = "urn:ietf:params:scim:schemas:core:2.0:Schema"

_RESERVED = re.compile(
    r"urn:ietf:params:scim:(schemas:core|schemas:extension:enterprise|api):", re.IGNORECASE | re.ASCII
)
# Narrower than RFC 8141: the URN stands in paths, in lists with commas and in the address /Schemas/{id}.
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{0,31}:[a-z0-9._~:-]*[a-z0-9_~-]", re.IGNORECASE | re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9$_-]*", re.ASCII)
_CASE_EXACT_TYPES = (Type.BINARY, Type.REFERENCE)
_TEXT_TYPES = (Type.STRING, *_CASE_EXACT_TYPES)
_SCHEMA_KEYS = frozenset({"schemas", "id", "name", "description", "attributes", "meta"})
_ATTRIBUTE_KEYS = frozenset(
    {
        "name",
        "type",
        "description",
        "multivalued",
        "required",
        "caseexact",
        "mutability",
        "returned",
        "uniqueness",
        "canonicalvalues",
        "referencetypes",
        "subattributes",
    }
)
_Choice = TypeVar("_Choice", bound=StrEnum)


def to_document(schema: Schema) -> dict[str, Json]:
    """The schema as a JSON document without nulls; ``meta.location`` is relative."""
    return {
        "schemas": [SCHEMA_URN],
        "id": schema.id,
        "name": schema.name,
        **({"description": schema.description} if schema.description else {}),
        "attributes": [_attribute_document(attribute) for attribute in schema],
        "meta": {"resourceType": "Schema", "location": f"../Schemas/{schema.id}"},
    }


def from_document(document: Json) -> Schema:
    """The extension schema that the document describes; what it leaves out has the defaults of RFC 7643 section 2.2.

    Raises InvalidValue that names the attribute and the characteristic. The URNs of the RFCs are refused.
    """
    given = _fold(document, "the schema")
    _refuse_unknown(given, _SCHEMA_KEYS, "the schema")
    urn = _text(given, "id", "the schema")
    if not _URN.fullmatch(urn) or len(urn) > 255:
        raise InvalidValue(
            f"id must be a URN such as urn:example:scim:schemas:extension:Badge:1.0:User, not {urn[:100]!r}"
        )
    if _RESERVED.match(urn):
        raise InvalidValue(f"id {urn!r} is reserved for the schemas of the RFCs")
    attributes = _attributes(given.get("attributes"), urn, parent="")
    return Schema(urn, _text(given, "name", urn), _text(given, "description", urn, default=""), attributes)


def _attribute_document(attribute: Attribute) -> dict[str, Json]:
    document: dict[str, Json] = {
        "name": attribute.name,
        "type": attribute.type.value,
        "multiValued": attribute.multi_valued,
        "required": attribute.required,
        "mutability": attribute.mutability.value,
        "returned": attribute.returned.value,
        "uniqueness": attribute.uniqueness.value,
    }
    if attribute.type in _TEXT_TYPES:
        document["caseExact"] = attribute.case_exact
    optional = {
        "description": attribute.description,
        "canonicalValues": list(attribute.canonical_values),
        "referenceTypes": list(attribute.reference_types),
        "subAttributes": [_attribute_document(sub) for sub in attribute.sub_attributes],
    }
    return document | {name: value for name, value in optional.items() if value}


def _attributes(documents: Json, owner: str, *, parent: str) -> tuple[Attribute, ...]:
    if not isinstance(documents, list) or not documents:
        raise InvalidValue(f"{owner} needs {'subAttributes' if parent else 'attributes'}: a list that is not empty")
    found: dict[str, Attribute] = {}
    for index, document in enumerate(documents):
        attribute = _attribute(document, f"{owner}: number {index + 1}", parent)
        if found.setdefault(attribute.name.lower(), attribute) is not attribute:
            raise InvalidValue(f"{owner} has two attributes named {attribute.name}; names compare without case")
    return tuple(found.values())


def _attribute(document: Json, position: str, parent: str) -> Attribute:
    given = _fold(document, position)
    name = _text(given, "name", position)
    if not _NAME.fullmatch(name) and not (parent and name == "$ref"):
        raise InvalidValue(f"{name[:100]!r} is no attribute name: a letter, then letters, digits, $, - and _")
    path = f"{parent}.{name}" if parent else name
    _refuse_unknown(given, _ATTRIBUTE_KEYS, path)
    kind = _choice(given, "type", Type.STRING, path)
    mutability = _choice(given, "mutability", Mutability.READ_WRITE, path)
    write_only = mutability is Mutability.WRITE_ONLY
    returned = _choice(given, "returned", Returned.NEVER if write_only else Returned.DEFAULT, path)
    if write_only and returned is not Returned.NEVER:
        raise InvalidValue(f"{path} is writeOnly, so its returned must be never")
    return Attribute(
        name,
        kind,
        _text(given, "description", path, default=""),
        multi_valued=_flag(given, "multiValued", path),
        required=_flag(given, "required", path),
        case_exact=_flag(given, "caseExact", path, default=kind in _CASE_EXACT_TYPES),
        mutability=mutability,
        returned=returned,
        uniqueness=_choice(given, "uniqueness", Uniqueness.NONE, path),
        canonical_values=_texts(given, "canonicalValues", path),
        reference_types=_texts(given, "referenceTypes", path),
        sub_attributes=_sub_attributes(given.get("subattributes"), kind, path, nested=bool(parent)),
    )


def _sub_attributes(documents: Json, kind: Type, path: str, *, nested: bool) -> tuple[Attribute, ...]:
    if kind is not Type.COMPLEX:
        if documents:
            raise InvalidValue(f"{path} has subAttributes, which only the type complex may have")
        return ()
    if nested:
        raise InvalidValue(f"{path} is complex inside a complex attribute, which RFC 7643 section 2.3.8 does not allow")
    return _attributes(documents, path, parent=path)


def _fold(document: Json, where: str) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise InvalidValue(f"{where} must be a JSON object")
    folded = {key.lower(): value for key, value in document.items()}
    if len(folded) != len(document):
        raise InvalidValue(f"{where} has a key twice; names compare without case")
    return folded


def _refuse_unknown(given: Mapping[str, Json], known: frozenset[str], path: str) -> None:
    for key in given:
        if key not in known:
            # a misspelt characteristic must not silently become its default
            raise InvalidValue(f"{path} has the unknown key {key[:100]!r}")


def _text(given: Mapping[str, Json], key: str, path: str, *, default: str | None = None) -> str:
    value = given.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (not value and default is None):
        raise InvalidValue(f"{path}: {key} must be a string{'' if default is not None else ' that is not empty'}")
    return value


def _texts(given: Mapping[str, Json], key: str, path: str) -> tuple[str, ...]:
    value = given.get(key.lower())
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise InvalidValue(f"{path}: {key} must be a list of strings")
    return tuple(value)


def _flag(given: Mapping[str, Json], key: str, path: str, *, default: bool = False) -> bool:
    value = given.get(key.lower())
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidValue(f"{path}: {key} must be true or false")
    return value


def _choice(given: Mapping[str, Json], key: str, default: _Choice, path: str) -> _Choice:
    value = given.get(key)
    if value is None:
        return default
    choices: list[Any] = [member.value for member in type(default)]
    if value not in choices:
        raise InvalidValue(f"{path}: {key} must be one of {', '.join(choices)}")
    return type(default)(value)
