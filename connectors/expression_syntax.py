"""How the expressions of a mapping are spelled: data, no code.

An expression is JSON and yields any number of texts; an empty text counts as no value.

- ``"mail"``: the values of the attribute.
- ``{"attribute": "proxyAddresses", "prefix": "SMTP:"}``: those values that begin so, without the prefix.
- ``{"constant": "employee"}``: always this text.
- ``{"first": ["mail", "userPrincipalName"]}``: the first choice that has a value.
- ``{"template": "{department} / {title}"}``: the text filled in; nothing if one of the attributes has no value.
- ``{"join": ["givenName", "sn"], "separator": " "}``: the values that exist, as one text.
- ``{"lower": "mail"}``, ``{"upper": ...}``, ``{"trim": ...}``: each value changed.
- ``{"replace": "telephoneNumber", "text": " ", "with": ""}``: each value, with literal text replaced.
- ``{"before": "@", "of": "mail"}``, ``{"after": "@", "of": "mail"}``: each value's part before (after) the first "@".
- ``{"match": "employeeType", "table": {"E": "Employee"}, "otherwise": {"constant": "Guest"}}``: each value looked up
  in the table, regardless of case.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.expressions import (
    PLACEHOLDER,
    Attribute,
    Change,
    Constant,
    Expression,
    First,
    Join,
    MappingError,
    Match,
    Template,
)

Json = Any

MAX_DEPTH: Final = 8
MAX_LENGTH: Final = 4096  # of one text; nested replacements could otherwise grow without end
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}")


def parse_expression(data: Json, where: str, depth: int = 0) -> Expression:
    """The expression that the JSON spells; ``where`` names its place. Raises MappingError."""
    if depth > MAX_DEPTH:
        raise MappingError(where, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(data, str):
        return Attribute(_attribute_name(data, where))
    if not isinstance(data, dict):
        raise MappingError(where, "must be an attribute name or an object with one function")
    functions = [key for key in data if key in _FUNCTIONS]
    if len(functions) != 1:
        raise MappingError(where, f"needs exactly one function of {', '.join(_FUNCTIONS)}")
    name = functions[0]
    parse, options = _FUNCTIONS[name]
    unknown = sorted(set(data) - {name, *options})
    if unknown:
        raise MappingError(where, f'"{name}" does not take {", ".join(map(repr, unknown))}')
    return parse(data, _Place(f"{where}.{name}", where, depth + 1))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the mapping the parser is: the function's argument, the object around it, the depth."""

    where: str
    around: str
    depth: int


def _attribute_name(data: Json, where: str) -> str:
    if not isinstance(data, str) or not _ATTRIBUTE.fullmatch(data):
        raise MappingError(where, f"{data!r} is not an attribute name")
    return data


def _text(data: Mapping[str, Json], key: str, place: _Place, *, default: str | None = None) -> str:
    text = data.get(key, default)
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise MappingError(place.around, f'"{key}" must be a text')
    return text


def _filled_text(data: Mapping[str, Json], key: str, place: _Place) -> str:
    text = _text(data, key, place)
    if not text:
        raise MappingError(place.around, f'"{key}" must not be empty')
    return text


def _several(data: Json, place: _Place) -> tuple[Expression, ...]:
    if not isinstance(data, list) or not data:
        raise MappingError(place.where, "must be a list with at least one expression")
    return tuple(parse_expression(item, f"{place.where}[{i}]", place.depth) for i, item in enumerate(data))


def _parse_attribute(data: Mapping[str, Json], place: _Place) -> Expression:
    return Attribute(_attribute_name(data["attribute"], place.where), _text(data, "prefix", place, default=""))


def _parse_constant(data: Mapping[str, Json], place: _Place) -> Expression:
    return Constant(_filled_text(data, "constant", place))


def _parse_first(data: Mapping[str, Json], place: _Place) -> Expression:
    return First(_several(data["first"], place))


def _parse_template(data: Mapping[str, Json], place: _Place) -> Expression:
    text = _filled_text(data, "template", place)
    names = [_attribute_name(name, place.where) for name in PLACEHOLDER.findall(text)]
    if not names:
        raise MappingError(place.where, "names no attribute in braces")
    return Template(text, tuple(dict.fromkeys(names)))


def _parse_join(data: Mapping[str, Json], place: _Place) -> Expression:
    return Join(_several(data["join"], place), _text(data, "separator", place, default=""))


def _parse_change(name: str, change: Callable[[str], str], words: str) -> "_Parse":
    def parse(data: Mapping[str, Json], place: _Place) -> Expression:
        return Change(parse_expression(data[name], place.where, place.depth), change, words)

    return parse


def _parse_replace(data: Mapping[str, Json], place: _Place) -> Expression:
    text, substitute = _filled_text(data, "text", place), _text(data, "with", place, default="")
    inner = parse_expression(data["replace"], place.where, place.depth)
    return Change(
        inner,
        lambda value: value.replace(text, substitute)[:MAX_LENGTH],
        f'with "{text}" replaced by "{substitute}"',
    )


def _parse_before(data: Mapping[str, Json], place: _Place) -> Expression:
    mark = _filled_text(data, "before", place)
    inner = parse_expression(data.get("of"), f"{place.around}.of", place.depth)
    return Change(inner, lambda value: value.partition(mark)[0], f'before "{mark}"')


def _parse_after(data: Mapping[str, Json], place: _Place) -> Expression:
    mark = _filled_text(data, "after", place)
    inner = parse_expression(data.get("of"), f"{place.around}.of", place.depth)
    return Change(inner, lambda value: value.partition(mark)[2], f'after "{mark}"')


def _parse_match(data: Mapping[str, Json], place: _Place) -> Expression:
    table = data.get("table")
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise MappingError(place.around, '"table" must be an object of texts')
    folded = {key.casefold(): text for key, text in table.items()}
    otherwise = data.get("otherwise")
    return Match(
        parse_expression(data["match"], place.where, place.depth),
        folded,
        None if otherwise is None else parse_expression(otherwise, f"{place.around}.otherwise", place.depth),
    )


_Parse = Callable[[Mapping[str, Json], _Place], Expression]
_FUNCTIONS: Final[Mapping[str, tuple[_Parse, tuple[str, ...]]]] = {
    "attribute": (_parse_attribute, ("prefix",)),
    "constant": (_parse_constant, ()),
    "first": (_parse_first, ()),
    "template": (_parse_template, ()),
    "join": (_parse_join, ("separator",)),
    "lower": (_parse_change("lower", str.lower, "in lower case"), ()),
    "upper": (_parse_change("upper", str.upper, "in upper case"), ()),
    "trim": (_parse_change("trim", str.strip, "without blanks around it"), ()),
    "replace": (_parse_replace, ("text", "with")),
    "before": (_parse_before, ("of",)),
    "after": (_parse_after, ("of",)),
    "match": (_parse_match, ("table", "otherwise")),
}
