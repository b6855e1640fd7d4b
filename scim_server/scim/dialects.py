"""What real provisioning clients send beside the RFCs, each tolerance with a name, a client and a golden exchange.

The RFCs do not ask for any of this; a refused request, though, keeps a leaver's access open. A strict dialect
tolerates nothing. Spellings of filters are no dialect: the filter grammar accepts a superset of the RFC for everybody.
"""

from enum import StrEnum
from typing import Self


class Tolerance(StrEnum):
    """One departure from the RFCs that is understood; the golden exchange of each is ``tests/scim/idp/<golden>``."""

    client: str
    """The client that made it necessary, as the folder of the golden exchange."""

    def __new__(cls, value: str, client: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.client = client
        return member

    @property
    def golden(self) -> str:
        """The golden exchange below ``tests/scim/idp``."""
        return f"{self.client}/{self.value}.json"

    # Values
    TEXT_BOOLEAN = "text_boolean", "entra"
    """``"False"`` for a boolean, in any case. entra/text_boolean.json"""
    SINGLE_VALUE_FOR_LIST = "single_value_for_list", "entra"
    """One object where a list belongs: ``members: {"value": ...}``. entra/single_value_for_list.json"""
    BARE_STRING_ELEMENT = "bare_string_element", "entra"
    """A string as element of a complex attribute: ``members: ["<id>"]``. entra/bare_string_element.json"""
    ONE_ELEMENT_LIST = "one_element_list", "entra"
    """A list of one for a single value: ``manager: [{"value": ...}]``. entra/one_element_list.json"""
    BARE_REFERENCE = "bare_reference", "entra"
    """A string for a single complex value: ``manager: "<id>"``. entra/bare_reference.json"""
    JSON_TEXT_ROLES = "json_text_roles", "entra"
    """A role as JSON inside the string ``value`` (AppRoleAssignmentsComplex). entra/json_text_roles.json"""

    # Names and schemas
    UNKNOWN_ATTRIBUTES = "unknown_attributes", "entra"
    """Attributes of no schema in a body are dropped, never stored or echoed. entra/unknown_attributes.json"""
    QUALIFIED_KEYS = "qualified_keys", "entra"
    """``URN:attr``, ``URN:attr.sub`` and ``name.familyName`` as keys of a JSON object. entra/qualified_keys.json"""
    UNQUALIFIED_EXTENSION_NAMES = "unqualified_extension_names", "entra"
    """``manager`` or ``department`` without the URN of the extension. entra/unqualified_extension_names.json"""
    DOTTED_URN = "dotted_urn", "entra"
    """``URN.attr`` for ``URN:attr`` (inbound provisioning API). entra/dotted_urn.json"""
    SCHEMAS_INCOMPLETE = "schemas_incomplete", "entra"
    """``schemas`` absent, or without the URN of an extension that is used. entra/schemas_incomplete.json"""
    UNKNOWN_SCHEMAS = "unknown_schemas", "entra"
    """A URN in ``schemas`` that this server lacks, such as Microsoft's for groups. entra/unknown_schemas.json"""

    # Requests
    KEEP_ACTIVE_ON_PUT = "keep_active_on_put", "okta"
    """A PUT without ``active`` leaves it as it is. okta/keep_active_on_put.json"""
    OPERATION_NAME_CASE = "operation_name_case", "entra"
    """``Add``, ``REPLACE`` and ``Remove``. entra/operation_name_case.json"""
    EMPTY_OPERATIONS = "empty_operations", "entra"
    """A PATCH without operations changes nothing (SCIM Validator). entra/empty_operations.json"""
    CREATE_MISSING_ELEMENT = "create_missing_element", "entra"
    """``emails[type eq "work"].value`` where there is no such element. entra/create_missing_element.json"""
    REMOVE_MISSING_ELEMENT = "remove_missing_element", "okta"
    """Taking out an element that is not there succeeds. okta/remove_missing_element.json"""
    REMOVE_WITH_VALUE = "remove_with_value", "entra"
    """``Remove`` with a value list takes out the listed only (also authentik). entra/remove_with_value.json"""
    OWN_ID_IN_VALUE = "own_id_in_value", "okta"
    """A value without path that repeats the resource's own ``id``. okta/own_id_in_value.json"""
    READ_ONLY_IN_VALUE = "read_only_in_value", "okta"
    """``groups``, ``meta`` or ``schemas`` in a value without path are ignored. okta/read_only_in_value.json"""


class Dialect:
    """How one request may depart from the RFCs, and how it did."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self.applied: list[Tolerance] = []
        """The tolerances this request needed, once each, in the order they were met."""

    def tolerates(self, tolerance: Tolerance) -> bool:
        """Whether to go on; ask only where the departure was really met, for a yes is noted in ``applied``."""
        if self.strict:
            return False
        if tolerance not in self.applied:
            self.applied.append(tolerance)
        return True
