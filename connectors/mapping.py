"""The mapping from directory attributes to a SCIM user, as data that administrators can edit.

A mapping is a JSON object: target to expression (see ``connectors.expression_syntax``). A target is ``title``,
``name.givenName`` or ``urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department``. A multi-valued target
takes a list of elements::

    "emails": [{"value": "mail", "type": "work", "primary": true},
               {"value": {"attribute": "proxyAddresses", "prefix": "smtp:"}, "type": "other"}]

In an element ``type`` and ``primary`` stand for themselves; every other sub-attribute is an expression. ``value`` may
yield several texts, each becomes an element. Nothing in a mapping is executed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from connectors.expression_syntax import parse_expression
from connectors.expressions import Expression, MappingError, Source

__all__ = ["ENTERPRISE_URN", "AttributeMapping", "MappingError", "parse_mapping"]

Json = Any

ENTERPRISE_URN: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_NAMES: Final = ["formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"]
_SINGLE: Final = frozenset(
    [
        "userName",
        "externalId",
        "displayName",
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
    ]
) | {f"name.{name}" for name in _NAMES}
_VALUE: Final = frozenset(("value", "display"))
_PLURAL: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("emails", "phoneNumbers", "ims", "photos", "entitlements", "roles"), _VALUE),
    "addresses": frozenset(["formatted", "streetAddress", "locality", "region", "postalCode", "country"]),
}
_ELSEWHERE: Final = {
    "active": "comes from the directory's own flag",
    "groups": "comes from the members of the groups",
    "manager": "comes from the directory's link",
    "password": "is never read",
}


@dataclass(frozen=True, slots=True)
class Single:
    """A target with one text; ``path`` is the keys under which it stands in the document."""

    path: tuple[str, ...]
    expression: Expression

    def write(self, source: Source, document: dict[str, Json]) -> None:
        texts = self.expression.values(source)
        holder = document.setdefault(self.path[0], {}) if len(self.path) > 1 else document
        holder[self.path[-1]] = texts[0] if texts else None

    def describe(self) -> str:
        return self.expression.describe()

    def attributes(self) -> Iterator[str]:
        return self.expression.attributes()


@dataclass(frozen=True, slots=True)
class Element:
    """One kind of element of a multi-valued target."""

    fixed: Mapping[str, Json]
    expressions: Mapping[str, Expression]

    def read(self, source: Source) -> Iterator[dict[str, Json]]:
        texts = {name: expression.values(source) for name, expression in self.expressions.items()}
        others = {name: found[0] for name, found in texts.items() if found and name != "value"}
        if "value" in texts:
            for value in texts["value"]:
                yield {"value": value, **others, **self.fixed}
        elif others:
            yield {**others, **self.fixed}

    def describe(self) -> str:
        parts = [f"{name} {expression.describe()}" for name, expression in self.expressions.items()]
        words = parts[0].removeprefix("value ") if list(self.expressions) == ["value"] else ", ".join(parts)
        kind = str(self.fixed.get("type", ""))
        notes = [note for note in (kind, "primary" if self.fixed.get("primary") else "") if note]
        return f"{words} ({', '.join(notes)})" if notes else words


@dataclass(frozen=True, slots=True)
class Plural:
    """A multi-valued target."""

    name: str
    elements: tuple[Element, ...]

    def write(self, source: Source, document: dict[str, Json]) -> None:
        found: dict[Json, dict[str, Json]] = {}
        for element in self.elements:
            for read in element.read(source):
                found.setdefault(self._key(read), read)
        elements = list(found.values())
        for later in [element for element in elements if element.get("primary")][1:]:
            del later["primary"]  # true at most once (RFC 7643 section 2.4)
        document[self.name] = elements or None

    def _key(self, element: Mapping[str, Json]) -> Json:
        """Elements with equal keys are one; an address is listed once, a number once for each type."""
        value = element.get("value")
        if value is None:
            return tuple(sorted(element.items()))
        return value.casefold() if self.name == "emails" else (value.casefold(), element.get("type"))

    def describe(self) -> str:
        return "; ".join(element.describe() for element in self.elements)

    def attributes(self) -> Iterator[str]:
        for element in self.elements:
            for expression in element.expressions.values():
                yield from expression.attributes()


@dataclass(frozen=True)
class AttributeMapping:
    """A checked mapping; make one with ``parse_mapping``."""

    data: Mapping[str, Json]
    _targets: Mapping[str, Single | Plural] = field(repr=False)

    def apply(self, source: Source) -> dict[str, Json]:
        """The mapped SCIM attributes of one object: None where it has no value.

        A target whose attributes the source does not tell (KeyError) is left out, which says "unchanged".
        """
        document: dict[str, Json] = {}
        for target in self._targets.values():
            try:
                target.write(source, document)
            except KeyError:
                continue
        name = document.get("name")
        if name is not None and not any(name.values()):
            document["name"] = None
        return document

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Every directory attribute that the mapping reads."""
        return frozenset(name for target in self._targets.values() for name in target.attributes())

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the mapping's content; another mapping needs a full read."""
        canonical = json.dumps(self.data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def describe(self) -> Sequence[tuple[str, str]]:
        """Each target with the words for where its value comes from, for people."""
        return [(name, target.describe()) for name, target in self._targets.items()]


def parse_mapping(data: Json, default: Mapping[str, Json] | None = None) -> AttributeMapping:
    """The mapping that the JSON spells, laid over ``default``: a target given here replaces the default one, null
    removes it. Raises MappingError naming the place.
    """
    if not isinstance(data, dict):
        raise MappingError("mapping", "must be a JSON object of target and expression")
    merged = {**(default or {}), **data}
    kept = {target: spelled for target, spelled in merged.items() if spelled is not None}
    if "userName" not in kept:
        raise MappingError("userName", "must be mapped")
    return AttributeMapping(kept, {target: _parse_target(target, spelled) for target, spelled in kept.items()})


def _parse_target(target: str, data: Json) -> Single | Plural:
    if target.lower().startswith("urn:"):
        return Single(_extension_path(target), parse_expression(data, target))
    if target in _PLURAL:
        return _parse_plural(target, data)
    if target in _SINGLE:
        return Single(tuple(target.split(".")), parse_expression(data, target))
    if target in _ELSEWHERE:
        raise MappingError(target, f"cannot be mapped, it {_ELSEWHERE[target]}")
    raise MappingError(
        target, f"is not a target; targets are {', '.join(sorted({*_SINGLE, *_PLURAL}))} or urn:...:name"
    )


def _extension_path(target: str) -> tuple[str, str]:
    urn, _, name = target.rpartition(":")
    if urn.count(":") < 2 or not name.isidentifier():
        raise MappingError(target, "must be the URN of an extension, a colon and an attribute name")
    if urn.lower() == ENTERPRISE_URN.lower() and name == "manager":
        raise MappingError(target, f"cannot be mapped, it {_ELSEWHERE['manager']}")
    return urn, name


def _parse_plural(target: str, data: Json) -> Plural:
    if not isinstance(data, list) or not data:
        raise MappingError(target, "must be a list of elements such as {'value': 'mail', 'type': 'work'}")
    return Plural(target, tuple(_parse_element(item, target, f"{target}[{i}]") for i, item in enumerate(data)))


def _parse_element(data: Json, target: str, where: str) -> Element:
    if not isinstance(data, dict):
        raise MappingError(where, "must be an object")
    fixed = {key: data[key] for key in ("type", "primary") if key in data}
    if not isinstance(fixed.get("type", ""), str) or not isinstance(fixed.get("primary", True), bool):
        raise MappingError(where, '"type" must be a text and "primary" true or false')
    spelled = {key: value for key, value in data.items() if key not in fixed}
    unknown = sorted(set(spelled) - _PLURAL[target])
    if unknown:
        known = ", ".join(sorted({*_PLURAL[target], "type", "primary"}))
        raise MappingError(where, f"does not know {', '.join(unknown)}; it takes {known}")
    if not spelled or (_PLURAL[target] is _VALUE and "value" not in spelled):
        raise MappingError(where, "needs a value")
    return Element(fixed, {key: parse_expression(value, f"{where}.{key}") for key, value in spelled.items()})
