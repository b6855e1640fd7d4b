"""The canonical value of an attribute by its type (RFC 7643 section 2.3), from what a client sent.

Canonical means: names spelled as in the schema and in its order, nothing unassigned, every string as it was sent.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime

import orjson

from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute, Type
from scim_server.scim.dialects import Dialect, Tolerance
from scim_server.scim.errors import InvalidValue
from scim_server.scim.json_text import dump
from scim_server.scim.names import fold_keys, shorten

MAX_STRING = 65_536
"""Characters of one string; a certificate in base64 has about 3,000."""

RESOURCE_ENDPOINTS = {"User": "Users", "Group": "Groups"}
"""Reference types that are resources of this server; a ``$ref`` to them is computed from ``value``, never taken."""

_INTEGERS = range(-(2**63), 2**63)
_CONTAINERS = (str, list, dict)
_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?", re.ASCII
)


def accept(attribute: Attribute, value: Json, dialect: Dialect, path: str) -> Json | None:
    """The canonical value of a whole attribute, a list where it is multi-valued; None when it is unassigned.

    null, ``""``, ``[]`` and ``{}`` all mean unassigned (RFC 7643 section 2.5, and Entra ID clears with ``""``).
    Raises InvalidValue that names ``path``.
    """
    if not value and is_unassigned(value):
        return None
    if attribute.multi_valued:
        return _accept_list(attribute, value, dialect, path)
    if attribute.is_complex:
        return _accept_complex(attribute, _single(attribute, value, dialect, path), dialect, path)
    return _SIMPLE[attribute.type](value, dialect, path)


def accept_element(attribute: Attribute, value: Json, dialect: Dialect, path: str) -> Json | None:
    """The canonical value of one element of a multi-valued attribute; None when it is unassigned."""
    if is_unassigned(value):
        return None
    if not attribute.is_complex:
        return _SIMPLE[attribute.type](value, dialect, path)
    if isinstance(value, str) and attribute.sub("value") and dialect.tolerates(Tolerance.BARE_STRING_ELEMENT):
        value = {"value": value}
    element = _accept_complex(attribute, value, dialect, path)
    if attribute.name == "roles" and element is not None:
        return _unpack_role(element, dialect)
    return element


def is_unassigned(value: Json) -> bool:
    """Whether the value stands for "has no value"; False and 0 are values."""
    return not value and (value is None or isinstance(value, _CONTAINERS))


def _accept_list(attribute: Attribute, value: Json, dialect: Dialect, path: str) -> list[Json] | None:
    if not isinstance(value, list):
        if not dialect.tolerates(Tolerance.SINGLE_VALUE_FOR_LIST):
            raise InvalidValue(f"{path} must be a list")
        value = [value]
    elements: list[Json] = []
    for index, element in enumerate(value):
        accepted = accept_element(attribute, element, dialect, f"{path}[{index}]")
        if accepted is not None:
            elements.append(accepted)
    if len(elements) > 1:
        elements = list({dump(element): element for element in elements}.values())
        if attribute.is_complex and sum(element.get("primary") is True for element in elements) > 1:
            raise InvalidValue(f"{path} has more than one value with primary true (RFC 7643 section 2.4)")
    return elements or None


def _single(attribute: Attribute, value: Json, dialect: Dialect, path: str) -> Json:
    """The value of a single complex attribute as the object it should have been."""
    if isinstance(value, list) and len(value) == 1 and dialect.tolerates(Tolerance.ONE_ELEMENT_LIST):
        value = value[0]
    if isinstance(value, str) and attribute.sub("value") and dialect.tolerates(Tolerance.BARE_REFERENCE):
        value = {"value": value}
    if value is not None and not isinstance(value, dict):
        raise InvalidValue(f"{path} must be an object")
    return value or {}


def _accept_complex(attribute: Attribute, value: Json, dialect: Dialect, path: str) -> dict[str, Json] | None:
    if not isinstance(value, dict):
        raise InvalidValue(f"{path} must be an object")
    given = value if value.keys() <= attribute.sub_names else _respell(attribute, value, dialect, path)
    computed = _computed_reference(attribute) if "$ref" in attribute.sub_names else None
    nameless = computed is not None and _is_nameless(attribute, given)
    accepted: dict[str, Json] = {}
    for sub in attribute.sub_attributes:
        item = given.get(sub.name)
        if item is None or sub is computed or sub.is_read_only:
            continue
        canonical = accept(sub, item, dialect, f"{path}.{sub.name}")
        if canonical is not None and not sub.is_write_only:
            accepted[sub.name] = canonical
    if computed:
        return _refer(computed, accepted, path, nameless)
    return accepted or None


def _computed_reference(attribute: Attribute) -> Attribute | None:
    """The sub-attribute ``$ref`` where it points to resources of this server, so that the server computes it."""
    sub = attribute.sub("$ref")
    if sub and sub.reference_types and RESOURCE_ENDPOINTS.keys() >= set(sub.reference_types):
        return sub
    return None


def _is_nameless(attribute: Attribute, given: Mapping[str, Json]) -> bool:
    """Whether a reference says something, but not to whom: a member with a display name alone would be lost."""
    if "value" in given:
        return False
    return any(not is_unassigned(item) for name, item in given.items() if attribute.multi_valued or name == "$ref")


def _refer(sub: Attribute, accepted: dict[str, Json], path: str, nameless: bool) -> dict[str, Json] | None:
    """The value of a reference with its ``$ref``, where the schema leaves no choice of the resource type."""
    if "value" not in accepted:
        if accepted or nameless:
            raise InvalidValue(f"{path}.value is required: the id of the {' or '.join(sub.reference_types)}")
        return None
    if len(sub.reference_types) > 1:
        return accepted
    location = f"../{RESOURCE_ENDPOINTS[sub.reference_types[0]]}/{accepted['value']}"
    return {"value": accepted["value"], "$ref": location, **accepted}


def _respell(attribute: Attribute, value: dict[str, Json], dialect: Dialect, path: str) -> dict[str, Json]:
    """The object with its names as the schema spells them, without those that the schema lacks."""
    respelled = {}
    for name, item in fold_keys(value, path).items():
        if sub := attribute.sub(name):
            respelled[sub.name] = item
        elif not dialect.tolerates(Tolerance.UNKNOWN_ATTRIBUTES):
            raise InvalidValue(f"{path} has no sub-attribute {shorten(name)}")
    return respelled


def _unpack_role(element: dict[str, Json], dialect: Dialect) -> dict[str, Json]:
    """The role of an ``AppRoleAssignmentsComplex`` mapping, which Entra ID sends as JSON inside ``value``.

    It is unpacked as deep as it goes, so that a stored role never looks like a packed one.
    """
    while (role := _packed_role(element.get("value"))) and dialect.tolerates(Tolerance.JSON_TEXT_ROLES):
        display = element.get("display") or role.get("displayName")
        element = {**element, "value": role["value"]}
        if display and isinstance(display, str):
            element = {"value": role["value"], "display": display, **element}
    return element


def _packed_role(text: Json) -> dict[str, Json] | None:
    if not isinstance(text, str) or not text.startswith("{"):
        return None
    try:
        role = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return role if isinstance(role.get("value"), str) and role["value"] else None


def _string(value: Json, _: Dialect, path: str) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f"{path} must be a string")
    if len(value) > MAX_STRING:
        raise InvalidValue(f"{path} has {len(value)} characters; at most {MAX_STRING} are stored")
    if "\0" in value or not (value.isascii() or _is_encodable(value)):
        raise InvalidValue(f"{path} contains a character that cannot be stored (NUL or half a surrogate pair)")
    return value


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _boolean(value: Json, dialect: Dialect, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false") and dialect.tolerates(Tolerance.TEXT_BOOLEAN):
        return value.lower() == "true"
    raise InvalidValue(f"{path} must be true or false")


def _integer(value: Json, _: Dialect, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue(f"{path} must be an integer")
    if value not in _INTEGERS:
        raise InvalidValue(f"{path} must be an integer of at most 64 bits")
    return value


def _decimal(value: Json, dialect: Dialect, path: str) -> int | float:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidValue(f"{path} must be a finite number")
        return value
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue(f"{path} must be a number")
    return _integer(value, dialect, path)


def _date_time(value: Json, dialect: Dialect, path: str) -> str:
    text = _string(value, dialect, path)
    parts = _DATE_TIME.fullmatch(text)
    if parts is None or not _is_calendar_date(parts[1]):
        raise InvalidValue(f"{path} must be a date and time such as 2026-03-02T09:14:07Z (xsd:dateTime)")
    return text


def _is_calendar_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _binary(value: Json, dialect: Dialect, path: str) -> str:
    text = _string(value, dialect, path)
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidValue(f"{path} must be base64 with padding (RFC 4648 section 4)") from None
    return text


_SIMPLE: dict[Type, Callable[[Json, Dialect, str], Json]] = {
    Type.STRING: _string,
    Type.BOOLEAN: _boolean,
    Type.INTEGER: _integer,
    Type.DECIMAL: _decimal,
    Type.DATE_TIME: _date_time,
    Type.BINARY: _binary,
    # no check of the form: the SCIM Validator sends random text as profileUrl and compares what comes back
    Type.REFERENCE: _string,
}
