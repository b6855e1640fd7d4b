"""JSON text from and to the network: everything that a later layer could stumble over is refused here."""

import json
from typing import NoReturn

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
        place = f"line {error.lineno} column {error.colno}"
        raise InvalidSyntax(f"the body is not valid JSON: {error.msg} ({place})") from None
    if body.count(b"{") + body.count(b"[") > max_depth:
        _refuse_depth(value, max_depth)
    if _LONG_NUMBER in body.translate(_DIGITS_TO_ZERO):
        json.loads(body, parse_int=_exact_integer)
    if _ESCAPED_NUL in body:
        _refuse_nul(value, path="")
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


def _refuse_nul(value: Json, path: str) -> None:
    if isinstance(value, str) and "\0" in value:
        _raise_nul(path)
    if isinstance(value, dict):
        for key, item in value.items():
            if "\0" in key:
                _raise_nul(path)
            _refuse_nul(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nul(item, f"{path}[{index}]")


def _raise_nul(path: str) -> NoReturn:
    raise InvalidValue(f"{path[:200] or 'the body'} contains the character NUL (\\u0000), which cannot be stored")
