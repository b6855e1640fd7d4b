"""Literals against attribute types: which operator takes which literal; times and references behind their texts."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from scim_server.scim.characteristics import Attribute, Mutability, Returned, Type
from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters.tree import Literal, Operator, Scalar
from scim_server.scim.registry import COMMON, AttributeRef

_NUMBERS: Final = (Type.INTEGER, Type.DECIMAL)
_EQUALITY: Final = frozenset({Operator.EQ})
_ORDERED: Final = frozenset({Operator.EQ, Operator.GT, Operator.GE, Operator.LT, Operator.LE})
_OPERATORS: Final = {
    Type.STRING: frozenset(Operator),
    Type.REFERENCE: frozenset(Operator),
    Type.BOOLEAN: _EQUALITY,
    Type.BINARY: _EQUALITY,
    Type.INTEGER: _ORDERED,
    Type.DECIMAL: _ORDERED,
    Type.DATE_TIME: _ORDERED,
}
_WANTED: Final = {
    Type.STRING: "a text in double quotes",
    Type.REFERENCE: "a text in double quotes",
    Type.BINARY: "a text in double quotes",
    Type.BOOLEAN: "true or false",
    Type.INTEGER: "a number",
    Type.DECIMAL: "a number",
    Type.DATE_TIME: 'a date and time such as "2026-03-02T09:14:07Z"',
}

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):(\d\d))?", re.ASCII
)
_RESOURCE = re.compile(r"(?:.*/)?((?:Users|Groups)/[^/]+)/?", re.DOTALL)
_META = COMMON.attribute("meta")
_LOCATION = _META.sub("location") if _META else None


def is_searchable(attribute: Attribute) -> bool:
    """Whether filters may name the attribute: one that is never shown must not be guessed either."""
    return attribute.returned is not Returned.NEVER and attribute.mutability is not Mutability.WRITE_ONLY


def check_operator(ref: AttributeRef, operator: Operator) -> None:
    """Raise InvalidFilter where the attribute's type has no such comparison (RFC 7644 table 3)."""
    leaf = ref.leaf
    if leaf.type is Type.COMPLEX:
        raise InvalidFilter(f"The attribute {ref.path} is complex; name the sub-attribute to compare.")
    if operator not in _OPERATORS[leaf.type]:
        raise InvalidFilter(f"The operator {operator} does not apply to {ref.path}, which has type {leaf.type}.")


def typed(ref: AttributeRef, literal: Literal) -> Scalar:
    """The literal as the attribute's type has it; a boolean may come as text. Raises InvalidFilter."""
    value, kind = literal.value, ref.leaf.type
    if kind is Type.BOOLEAN and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind is Type.BOOLEAN:
        fits = isinstance(value, bool)
    elif kind in _NUMBERS:
        fits = isinstance(value, int | Decimal) and not isinstance(value, bool)
    else:
        fits = isinstance(value, str) and (kind is not Type.DATE_TIME or _DATE_TIME.fullmatch(value) is not None)
    if fits and kind is Type.DATE_TIME:
        fits = _is_instant(value)
    if not fits:
        raise InvalidFilter(
            f"{ref.path} is compared with {_WANTED[kind]}; position {literal.position} has another value."
        )
    return value


def instant(text: str) -> tuple[datetime, int]:
    """The UTC second and the nanosecond of a dateTime (RFC 7643 section 2.3.5); without an offset it counts as UTC.

    Raises ValueError for anything else. A time beyond the years 1 to 9999 in UTC becomes the nearest one inside.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    fraction, sign, hours, minutes = match.group(7, 9, 10, 11)
    leap = second == 60  # RFC 3339 section 5.6 allows the leap second
    moment = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC)
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "+" else 1)
    try:
        moment += offset + timedelta(seconds=leap)
    except OverflowError:
        moment = datetime.min.replace(tzinfo=UTC) if sign == "+" else datetime.max.replace(tzinfo=UTC, microsecond=0)
    return moment, int((fraction or "").ljust(9, "0"))


def is_resource_reference(attribute: Attribute) -> bool:
    """Whether its values are URIs of resources of this server, which are compared by resource type and id only."""
    if attribute.type is not Type.REFERENCE:
        return False
    return attribute is _LOCATION or any(name in ("User", "Group") for name in attribute.reference_types)


def relative(reference: str) -> str:
    """``../Users/<id>`` for any URI of a resource, absolute or relative; another text as it is."""
    match = _RESOURCE.fullmatch(reference)
    return f"../{match[1]}" if match else reference


def _is_instant(value: Any) -> bool:
    try:
        instant(value)
    except ValueError:
        return False
    return True
