"""Names as clients write them, taken apart: without case, and qualified by a URN (RFC 7643 2.1, RFC 7644 3.10)."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Schema
from scim_server.scim.errors import InvalidSyntax
from scim_server.scim.registry import ResourceType


class QualifiedName(NamedTuple):
    """A name that begins with the URN of a schema of the resource type."""

    schema: Schema
    separator: str
    """``:``, ``.`` (Microsoft's inbound spelling), or empty when the URN stands alone."""
    rest: str
    """The attribute, with or without a sub-attribute, as the client spelled it."""


def qualified(name: str, resource_type: ResourceType) -> QualifiedName | None:
    """The name split after the longest URN of the resource type that it begins with, or None."""
    folded = name.lower()
    best: QualifiedName | None = None
    for schema in (resource_type.core, *resource_type.extensions):
        separator = name[len(schema.id) : len(schema.id) + 1]
        if not folded.startswith(schema.id.lower()) or separator not in ("", ":", "."):
            continue
        if best is None or len(schema.id) > len(best.schema.id):
            best = QualifiedName(schema, separator, name[len(schema.id) + 1 :])
    return best


def fold_keys(value: Mapping[str, Json], path: str) -> dict[str, Json]:
    """The object with its keys in lower case; raises InvalidSyntax when two keys differ in case only."""
    folded = {key.lower(): item for key, item in value.items()}
    if len(folded) != len(value):
        counts = Counter(key.lower() for key in value)
        twice = next(key for key in value if counts[key.lower()] > 1)
        raise InvalidSyntax(f"{path or 'the body'} has the key {shorten(twice)} twice; names compare without case")
    return folded


def shorten(name: str) -> str:
    """A client's name for an error detail, in quotes and at most 100 characters of it."""
    return repr(name if len(name) <= 100 else f"{name[:100]}...")
