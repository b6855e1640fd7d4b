"""The value index: every value of a document as text that compares and sorts as the attribute's type does.

``id`` and ``meta`` are columns of their own, group members and a user's groups a table; all else is here.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from scim_server.domain.keys import fold
from scim_server.scim.characteristics import Attribute, Type
from scim_server.scim.filters.operands import instant, is_resource_reference, is_searchable, relative
from scim_server.scim.registry import AttributeRef, ResourceType

Json = Any
Row = tuple[int, int, str, str]
"""Attribute number, element, head, tail."""

HEAD: Final = 128
"""Characters of a key that the database indexes; a B-tree entry has a size limit."""

MAX_ELEMENTS: Final = 32_767
"""Elements of one attribute that are indexed: the largest number the column holds."""

_NOT_INDEXED: Final = ("id", "meta", "members", "groups")
_NINES = str.maketrans("0123456789", "9876543210")


def index_key(attribute: Attribute, value: Json) -> str:
    """The comparison form of one value: keys are equal where values are, and sort as the values do."""
    return encoder(attribute)(value)


def split_key(key: str) -> tuple[str, str]:
    """Head and tail; pairs compare as the whole keys do."""
    return key[:HEAD], key[HEAD:]


def index_rows(document: Mapping[str, Json], resource_type: ResourceType) -> set[Row]:
    """The rows of ``attribute_values`` for a canonical document, without tenant and resource.

    An element of a multi-valued complex attribute has a row of its own (head empty) beside those of its
    sub-attributes. Elements past MAX_ELEMENTS are not found by filters, nor is more than the first value of a
    multi-valued sub-attribute of such an element.
    """
    rows: set[Row] = set()
    plan = _plan_of(_Identity(resource_type))
    for name, value in document.items():
        entry = plan.get(name)
        if entry is None:
            continue
        if isinstance(entry, dict):
            for inner, inner_value in value.items():
                if inner in entry:
                    entry[inner](rows, inner_value)
        else:
            entry(rows, value)
    return rows


@lru_cache(maxsize=1024)
def encoder(attribute: Attribute) -> Callable[[Json], str]:
    """The function that gives the comparison form of the attribute's values."""
    if attribute.type is Type.BOOLEAN:
        return _boolean
    if attribute.type in (Type.INTEGER, Type.DECIMAL):
        return _number
    if attribute.type is Type.DATE_TIME:
        return _moment
    if is_resource_reference(attribute):
        return relative
    return str if attribute.case_exact or attribute.type is Type.BINARY else fold


def _boolean(value: bool) -> str:
    return "1" if value else "0"


def _number(value: int | float | Decimal) -> str:
    """Sign, exponent, digits; for negative numbers the nines' complement, closed by a character above all digits."""
    sign, digits, _ = (number := Decimal(str(value))).as_tuple()
    if not number:
        return "1"
    text = f"{number.adjusted() + 5000:04}" + "".join(map(str, digits)).lstrip("0").rstrip("0")
    return f"0{text.translate(_NINES)}~" if sign else f"2{text}"


def _moment(value: str) -> str:
    moment, nanosecond = instant(value)
    return f"{moment.isoformat()[:19]}.{nanosecond:09}Z"


_Write = Callable[[set[Row], Json], None]
_Plan = dict[str, "_Write | dict[str, _Write]"]


class _Identity:
    """A resource type as a cache key: the same object, not an equal one, whose tables take long to compare."""

    __slots__ = ("resource_type",)

    def __init__(self, resource_type: ResourceType) -> None:
        self.resource_type = resource_type

    def __hash__(self) -> int:
        return id(self.resource_type)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.resource_type is self.resource_type


@lru_cache(maxsize=64)
def _plan_of(identity: _Identity) -> _Plan:
    """What to do with each name of a document; extension URNs lead to the names inside."""
    plan: _Plan = {}
    for ref in _indexed(identity.resource_type):
        if not ref.urn:
            plan[ref.attribute.name] = _writer(ref)
            continue
        inner = plan.setdefault(ref.urn, {})
        assert isinstance(inner, dict)  # noqa: S101 - no attribute is named like a URN
        inner[ref.attribute.name] = _writer(ref)
    return plan


def _indexed(resource_type: ResourceType) -> Iterator[AttributeRef]:
    for ref in resource_type.references():
        if (ref.urn or ref.attribute.name not in _NOT_INDEXED) and is_searchable(ref.attribute):
            yield ref


def _writer(ref: AttributeRef) -> _Write:
    if not ref.attribute.is_complex:
        return _simple(ref.number, encoder(ref.attribute), ref.attribute.multi_valued)
    subs = {
        sub.name: (AttributeRef(ref.urn, ref.attribute, sub).number, encoder(sub))
        for sub in ref.attribute.sub_attributes
        if is_searchable(sub)
    }
    return _elements(ref.number, subs) if ref.attribute.multi_valued else _single(subs)


def _simple(number: int, encode: Callable[[Json], str], multi_valued: bool) -> _Write:
    def write(rows: set[Row], value: Json) -> None:
        key = encode(value)
        rows.add((number, 0, key[:HEAD], key[HEAD:]))

    def write_all(rows: set[Row], values: Json) -> None:
        for element, value in enumerate(values[:MAX_ELEMENTS]):
            key = encode(value)
            rows.add((number, element, key[:HEAD], key[HEAD:]))

    return write_all if multi_valued else write


_Subs = dict[str, tuple[int, Callable[[Json], str]]]


def _single(subs: _Subs) -> _Write:
    def write(rows: set[Row], value: Json) -> None:
        for name, item in value.items():
            if name in subs:
                number, encode = subs[name]
                for element, part in enumerate(item[:MAX_ELEMENTS] if isinstance(item, list) else (item,)):
                    key = encode(part)
                    rows.add((number, element, key[:HEAD], key[HEAD:]))

    return write


def _elements(anchor: int, subs: _Subs) -> _Write:
    def write(rows: set[Row], value: Json) -> None:
        for element, item in enumerate(value[:MAX_ELEMENTS]):
            rows.add((anchor, element, "", ""))
            for name, part in item.items():
                if name in subs:
                    number, encode = subs[name]
                    key = encode(part[0] if isinstance(part, list) else part)
                    rows.add((number, element, key[:HEAD], key[HEAD:]))

    return write
