"""JSON text from and to the network: everything that a later layer could stumble over is refused here."""

import json

import orjson

from scim_server.domain.observations import Json
from scim_server.scim.errors import InvalidSyntax, InvalidValue

MAX_DEPTH = 32
"""Levels of objects and lists in a body; a SCIM message needs 7 (bulk, operation, data, PATCH operation, value)."""

_INTEGERS = range(-(2**63), 2**64)
# a translation and a search for a constant take a tenth of the time of a regular expression
_DIGITS_TO_ZERO = bytes.maketrans(b"0123456789", b"0" * 10)
_LONG_NUMBER = b"0" * 19
_ESCAPED_NUL = b"\\u0000"


def load(body: bytes, *, max_depth: int = MAX_DEPTH) -> Json:
    """The value of a JSON text, with every integer exact, no NUL and at most ``max_depth`` levels.

    Raises InvalidSyntax for what RFC 8259 does not allow (also NaN, bad UTF-8 and lone surrogates), InvalidValue for
    what it allows and no store can hold. The cost is linear; the second look is taken only at bodies that need it.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # the error carries the whole body, which may hold a password
        position = f"line {error.lineno} column {error.colno}"
        raise InvalidSyntax(f"the body is not valid JSON: {error.msg} ({position})") from None
    if body.count(b"{") + body.count(b"[") > max_depth:
        _refuse_depth(value, max_depth)
    if _LONG_NUMBER in body.translate(_DIGITS_TO_ZERO):
        json.loads(body, parse_int=_exact_integer)
    if _ESCAPED_NUL in body and (place := _place_of_nul(value)) is not None:
        place = place.removeprefix(".")[:200] or "the body"
        raise InvalidValue(f"{place} contains the character NUL (\\u0000), which cannot be stored")
    return value


def dump(value: Json) -> bytes:
    """The value as JSON text, compact, keys in their order."""
    return orjson.dumps(value)


def canonical(value: Json) -> bytes:
    """The value as JSON text that is equal for equal values: keys sorted."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _refuse_depth(value: Json, max_depth: int) -> None:
    level = [value]
    for _ in range(max_depth):
        level = [child for node in level for child in _children(node) if isinstance(child, (dict, list))]
        if not level:
            return
    raise InvalidValue(f"the body has more than {max_depth} levels of objects and lists")


def _children(node: Json) -> list[Json]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _exact_integer(digits: str) -> int:
    # 25 characters are beyond 64 bits anyway, and int() of a very long text is slow
    if len(digits) > 25 or int(digits) not in _INTEGERS:
        raise InvalidValue(f"the body has an integer of {len(digits.lstrip('-'))} digits, which is more than 64 bits")
    return int(digits)


def _place_of_nul(value: Json) -> str | None:
    """The path of the first NUL as a suffix, put together on the way back: a long key is not copied per value."""
    if isinstance(value, str):
        return "" if "\0" in value else None
    if isinstance(value, dict):
        for key, item in value.items():
            place = "" if "\0" in key else _place_of_nul(item)
            if place is not None:
                return f".{key}{place}".replace("\0", "")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if (place := _place_of_nul(item)) is not None:
                return f"[{index}]{place}"
    return None
