"""Filter text to typed tokens: JSON strings, numbers and words of RFC 7644 section 3.4.2.2, with limits.

The library's own lexer knows neither JSON escapes nor numbers of more than one digit, loses the type of a literal and
reads ``nullable`` as ``null``; only its grammar is used.
"""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from scim_server.scim.errors import InvalidFilter
from scim_server.scim.filters.tree import Literal

MAX_LENGTH: Final = 4096
MAX_TOKENS: Final = 600
MAX_DEPTH: Final = 32

OPERATORS: Final = frozenset({"eq", "ne", "co", "sw", "ew", "pr", "gt", "ge", "lt", "le"})
_COMPARISONS = frozenset(name.upper() for name in OPERATORS - {"pr"})
_JOINTS = frozenset({"and", "or", "not"})
_CONSTANTS: dict[str, tuple[str, bool | None]] = {
    "true": ("TRUE", True),
    "false": ("FALSE", False),
    "null": ("NULL", None),
}
_NESTING = {"(": 1, "[": 1, ")": -1, "]": -1}
_BRACKETS = {"(": "LPAREN", ")": "RPAREN", "[": "LBRACKET", "]": "RBRACKET"}

# One character each, none of them a possible name.
_LITERALS = {"COMP_VALUE": '"', "NUMBER": "#", "TRUE": "?", "FALSE": "?", "NULL": "!"}
_MARKS = {**_LITERALS, **{name: mark for mark, name in _BRACKETS.items()}}

_TOKEN = re.compile(
    r"""[ \t]+
    |(?P<STRING>"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")
    |(?P<BRACKET>[()\[\]])
    |(?P<SUBATTR>\.[A-Za-z$][\w$-]*)
    |(?P<NUMBER>-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?(?![\w.]))
    |(?P<SCHEMA_URI>[A-Za-z][A-Za-z0-9+.-]*:[^\s"()\[\]]*:(?=[A-Za-z$]))
    |(?P<WORD>[A-Za-z$][\w$-]*)""",
    re.VERBOSE | re.ASCII,
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Token:
    """One token under the name the grammar knows it by; a literal's value is a ``tree.Literal``."""

    __slots__ = ("end", "index", "lineno", "type", "value")

    def __init__(self, type: str, value: Any, index: int, end: int) -> None:  # noqa: A002 - the grammar asks for ``type``
        self.type = type
        self.value = value
        self.index = index
        self.lineno = 1
        self.end = end


def tokens(text: str, *, max_length: int = MAX_LENGTH) -> list[Token]:
    """The tokens of a filter, literals numbered from 0 in the order they stand.

    Raises InvalidFilter for a character that starts no token, for text over ``max_length`` characters, over MAX_TOKENS
    tokens or nested deeper than MAX_DEPTH.
    """
    if len(text) > max_length:
        raise InvalidFilter(f"The filter has {len(text)} characters; at most {max_length} are allowed.")
    found: list[Token] = []
    literals = depth = at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidFilter(f"{_unreadable(text, at)} at position {at + 1} of the filter.")
        kind, end = match.lastgroup, match.end()
        if kind is not None:
            depth += _NESTING.get(match.group(), 0)
            name, value = _read(kind, match.group(), at, found[-1] if found else None)
            if name in _LITERALS:
                value = Literal(literals, value, at + 1)
                literals += 1
            found.append(Token(name, value, at, end))
            if len(found) > MAX_TOKENS or depth > MAX_DEPTH:
                raise InvalidFilter(f"The filter has over {MAX_TOKENS} terms or is nested over {MAX_DEPTH} deep.")
        at = end
    if not found:
        raise InvalidFilter("The filter is empty.")
    return found


def shape(found: Sequence[Token]) -> tuple[str, ...]:
    """What is left of a filter when the values of its literals do not count; names without case."""
    return tuple([_MARKS.get(token.type) or token.value.lower() for token in found])


def _unreadable(text: str, at: int) -> str:
    if text[at] == '"':
        return "A text that is not closed, or holds a control character or an unknown escape,"
    return f"Unexpected character {text[at]!r}"


def _read(kind: str, value: str, at: int, before: Token | None) -> tuple[str, Any]:
    """The grammar's name of a token, and its value."""
    if kind == "STRING":
        return "COMP_VALUE", _string(value, at)
    if kind == "NUMBER":
        return "NUMBER", json.loads(value, parse_float=Decimal)
    if kind == "BRACKET":
        return _BRACKETS[value], value
    if kind == "SCHEMA_URI":
        return "SCHEMA_URI", value[:-1]
    if kind == "SUBATTR":
        if before is None or before.end != at or before.type not in ("ATTRNAME", "RBRACKET"):
            raise InvalidFilter(f"Unexpected {_short(value)} at position {at + 1} of the filter.")
        return "SUBATTR", value[1:]
    return _word(value, at, before.type if before else "")


def _string(value: str, at: int) -> str:
    inner: str = json.loads(value) if "\\" in value else value[1:-1]
    # A surrogate pair in escapes is one character by now; half a one cannot be stored, nor can NUL.
    if _UNSTORABLE.search(inner):
        raise InvalidFilter(f"The text at position {at + 1} of the filter holds a character that cannot be stored.")
    return inner


def _word(value: str, at: int, before: str) -> tuple[str, Any]:
    low = value.lower()
    if before in _COMPARISONS:
        if low not in _CONSTANTS:
            raise InvalidFilter(f"Expected a value (a text in double quotes) at position {at + 1} of the filter.")
        return _CONSTANTS[low]
    if before in ("ATTRNAME", "SUBATTR"):
        if low not in OPERATORS:
            raise InvalidFilter(
                f"The operator {_short(value)} at position {at + 1} of the filter is not supported;"
                " use eq, ne, co, sw, ew, pr, gt, ge, lt or le."
            )
        return low.upper(), low
    if low in _JOINTS and before != "SCHEMA_URI":
        return low.upper(), low
    return "ATTRNAME", value


def _short(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:60] + "…")
