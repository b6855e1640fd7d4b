"""Flat attributes: a SCIM document as one mapping of attribute names to values, and the comparison of values.

Single complex attributes and extensions flatten by one level ("name.givenName", "urn:...:User:department"); lists,
simple values and complex attributes of an extension (manager) stay whole: each is owned by one source at a time.
"""

from collections.abc import Mapping
from typing import Any

Json = Any
NOT_FLATTENED = frozenset({"schemas", "id", "meta"})
"""Computed by the server; no source provides them."""


def flatten(document: Mapping[str, Json]) -> dict[str, Json]:
    """The flat attributes of a document, without ``schemas``, ``id`` and ``meta``."""
    flat: dict[str, Json] = {}
    for name, value in document.items():
        if name in NOT_FLATTENED:
            continue
        if isinstance(value, dict):  # to ask for any Mapping takes longer than the rest
            separator = ":" if _is_urn(name) else "."
            for inner, leaf in value.items():
                flat[f"{name}{separator}{inner}"] = leaf
        elif not _is_urn(name):
            flat[name] = value
    return flat


def unflatten(flat: Mapping[str, Json]) -> dict[str, Json]:
    """The document with these flat attributes; None (has no value) leaves an attribute out. Inverse of ``flatten``."""
    document: dict[str, Json] = {}
    for path, value in flat.items():
        if value is None:
            continue
        outer, separator, inner = path.rpartition(":") if _is_urn(path) else path.partition(".")
        if separator:
            document.setdefault(outer, {})[inner] = value
        else:
            document[path] = value
    return document


def differences(
    before: Mapping[str, Json], after: Mapping[str, Json], *, canonical: bool = False
) -> dict[str, tuple[Json, Json]]:
    """Flat attribute name to (old, new) for every attribute in which two documents differ; None = has no value.

    ``canonical`` compares as ``same`` does, for pulls: a directory that re-encodes a value has not modified anybody.
    A push is compared exactly: the client gets back what it wrote.
    """
    return flat_differences(flatten(before), flatten(after), canonical=canonical)


def flat_differences(
    before: Mapping[str, Json], after: Mapping[str, Json], *, canonical: bool = False
) -> dict[str, tuple[Json, Json]]:
    """As ``differences``, between flat attributes; in the order of ``before``, then that of ``after``."""
    found: dict[str, tuple[Json, Json]] = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new and type(old) is type(new):
            continue
        if not (canonical and same(old, new, name)):
            found[name] = (old, new)
    return found


def same(old: Json, new: Json, name: str = "") -> bool:
    """Whether two values of an attribute mean the same.

    White space around text does not count, nor the order of a multi-valued attribute, nor a ``primary`` that is false;
    in ``phoneNumbers`` only digits count. null, "", [] and {} are all "has no value" (RFC 7643 section 2.5).
    """
    return old is new or _canonical(old, name) == _canonical(new, name)


def _is_urn(name: str) -> bool:
    return name[:4].lower() == "urn:"


def _canonical(value: Json, name: str) -> Json:
    """A hashable form that is equal for equal meanings."""
    if isinstance(value, str):
        return _digits(value) if name == "phoneNumbers.value" else value.strip() or None
    if isinstance(value, bool):
        return (bool, value)  # True is not 1
    if isinstance(value, Mapping):
        return _canonical_complex(value, name)
    if isinstance(value, list | tuple):
        return frozenset(_canonical(element, name) for element in value) - {None} or None
    return value


def _canonical_complex(value: Mapping[str, Json], name: str) -> Json:
    parts = {(inner, _canonical(leaf, f"{name}.{inner}")) for inner, leaf in value.items()}
    return frozenset(part for part in parts if part[1] is not None and part != ("primary", (bool, False))) or None


def _digits(text: str) -> str | None:
    """The digits of a telephone number; a text without any is compared as text (RFC 3966 visual separators)."""
    return "".join(char for char in text if char.isdigit()) or text.strip() or None
