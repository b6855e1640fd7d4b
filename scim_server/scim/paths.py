"""The path of a PATCH operation (RFC 7644 section 3.5.2).

``attr``, ``attr.sub``, ``attr[filter]``, ``attr[filter].sub``. Each form may follow the URN of a schema and a colon
(section 3.10); the URN of an extension alone means all of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Schema
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidFilter, InvalidPath, InvalidValue
from scim_server.scim.filters import tree
from scim_server.scim.filters.parse import parse_value_filter
from scim_server.scim.names import qualified, shorten
from scim_server.scim.registry import AttributeRef, ResourceType

MAX_LENGTH = 2_048
"""Characters of a path; the longest seen from a client has about 120."""

_SHOWN = 200
_REMEMBERED = 256
_COMPARISON = 16
_NAMES = re.compile(r"(?P<name>[A-Za-z$][\w$-]*)(?:\.(?P<sub>[A-Za-z$][\w$-]*))?", re.ASCII)


@dataclass(frozen=True)
class Path:
    """A resolved path: an attribute, which of its elements, which sub-attribute; or a whole extension."""

    text: str
    """As the client wrote it, shortened for messages."""
    reference: AttributeRef | Schema
    """The attribute (its ``sub`` is None, see below), or the schema when the path is the URN of an extension."""
    element_filter: tree.Node | None = None
    sub: Attribute | None = None
    effort: int = 1
    """About the number of comparisons in the filter."""

    @property
    def is_plain(self) -> bool:
        """Whether the path names a whole attribute."""
        return self.element_filter is None and self.sub is None


def parse_path(text: str, resource_type: ResourceType, dialect: Dialect) -> Path:
    """The path resolved against the schemas of the resource type, its departures from the RFC noted in ``dialect``.

    Raises InvalidPath naming the path and what is wrong with it: malformed, too long, an unknown schema, attribute or
    sub-attribute, a filter that does not parse.
    """
    parse = _remember if len(text) <= _REMEMBERED else _parse
    path, departures = parse(text, _SameObject(resource_type))
    for tolerance in departures:
        if not dialect.tolerates(tolerance):
            raise InvalidPath(f"path {shorten(text)}: {_DEPARTURES[tolerance]}")
    return path


_DEPARTURES = {
    Tolerance.DOTTED_URN: "a colon must stand between the URN of the schema and the attribute",
    Tolerance.UNQUALIFIED_EXTENSION_NAMES: "an extension attribute needs the URN of its schema",
}


@dataclass(frozen=True, slots=True, eq=False)
class _SameObject:
    """A cache key by identity: hashing the attribute tables themselves would cost more than parsing."""

    resource_type: ResourceType

    def __hash__(self) -> int:
        return id(self.resource_type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameObject) and other.resource_type is self.resource_type


def _parse(text: str, key: _SameObject) -> tuple[Path, tuple[Tolerance, ...]]:
    resource_type, shown = key.resource_type, shorten(text)
    if len(text) > MAX_LENGTH:
        raise InvalidPath(f"path {shown}: longer than {MAX_LENGTH} characters")
    head, inner, tail = _brackets(text, shown)
    name = qualified(head, resource_type)
    if name and not name.separator and inner is None:
        if name.schema is resource_type.core:
            raise InvalidPath(f"path {shown}: names the core schema but no attribute")
        return Path(text[:_SHOWN], name.schema), ()
    names = name.rest if name else head
    match = _NAMES.fullmatch(names + tail)
    if match is None or (inner is not None and match.end("name") != len(names)):
        foreign = name is None and ":" in head
        raise InvalidPath(f"path {shown}: not the path of an attribute{_FOREIGN if foreign else ''}")
    reference = resource_type.find(match["name"], urn=name.schema.id if name else None)
    if reference is None:
        raise InvalidPath(f"path {shown}: {resource_type.name} has no such attribute")
    sub = _sub_attribute(reference.attribute, match["sub"], shown)
    departures = []
    if name and name.separator == ".":
        departures.append(Tolerance.DOTTED_URN)
    if reference.urn and name is None:
        departures.append(Tolerance.UNQUALIFIED_EXTENSION_NAMES)
    element_filter = _element_filter(reference, inner, shown)
    effort = 1 + len(inner or "") // _COMPARISON
    return Path(text[:_SHOWN], reference, element_filter, sub, effort), tuple(departures)


_FOREIGN = ", or of a schema that this resource type does not have"

_remember = lru_cache(maxsize=4_096)(_parse)


def _brackets(text: str, shown: str) -> tuple[str, str | None, str]:
    """Before, inside and after the brackets; a name cannot hold one, so the last closing bracket is the outer one."""
    head, opening, rest = text.partition("[")
    if not opening:
        return text, None, ""
    inner, closing, tail = rest.rpartition("]")
    if not closing:
        raise InvalidPath(f"path {shown}: the bracket is never closed")
    return head, inner, tail


def _sub_attribute(attribute: Attribute, name: str | None, shown: str) -> Attribute | None:
    if name is None:
        return None
    sub = attribute.sub(name)
    if sub is None:
        raise InvalidPath(f"path {shown}: {attribute.name} has no sub-attribute {shorten(name)}")
    return sub


def _element_filter(reference: AttributeRef, inner: str | None, shown: str) -> tree.Node | None:
    if inner is None:
        return None
    if not reference.is_multi_valued:
        raise InvalidPath(f"path {shown}: {reference.attribute.name} has one value, there is nothing to select")
    try:
        return parse_value_filter(inner, reference)
    except InvalidFilter as error:
        raise InvalidPath(f"path {shown}: {error.detail}") from error


def attributes_of(value: Json, resource_type: ResourceType, dialect: Dialect) -> Iterator[tuple[Path, Json]]:
    """The attributes set by the value of an operation without path, those of extension objects one by one.

    A key that names nothing is dropped, unlike a path that names nothing: one key too many in an administrator's
    mapping must not undo the others (``active`` among them), while an operation with a path does nothing else.
    """
    if not isinstance(value, Mapping):
        raise InvalidValue("without a path, the value must be an object of attributes")
    return _attributes_below("", value, resource_type, dialect)


def _attributes_below(
    urn: str, value: Mapping[str, Json], resource_type: ResourceType, dialect: Dialect
) -> Iterator[tuple[Path, Json]]:
    for key, item in value.items():
        if not urn and key.lower() == resource_type.core.id.lower() and isinstance(item, Mapping):
            _tolerate_key(key, dialect)
            yield from _attributes_below(key, item, resource_type, dialect)
            continue
        path = _path_of_key(key, urn, resource_type, dialect)
        if path and isinstance(path.reference, Schema) and isinstance(item, Mapping):
            yield from _attributes_below(path.reference.id, item, resource_type, dialect)
        elif path:
            yield path, item


def _path_of_key(key: str, urn: str, resource_type: ResourceType, dialect: Dialect) -> Path | None:
    try:
        path = parse_path(f"{urn}:{key}" if urn else key, resource_type, dialect)
    except InvalidPath:
        if dialect.tolerates(Tolerance.UNKNOWN_ATTRIBUTES):
            return None
        raise
    if isinstance(path.reference, AttributeRef) and key.lower() != path.reference.attribute.name.lower():
        _tolerate_key(key, dialect)
    return path


def _tolerate_key(key: str, dialect: Dialect) -> None:
    if not dialect.tolerates(Tolerance.QUALIFIED_KEYS):
        raise InvalidPath(f"key {shorten(key)}: it must be the name of an attribute or the URN of an extension")
