"""The LDAP filters of people and groups, and the attributes that are asked for."""

import re
from collections.abc import Iterable
from typing import Final

from ldap3.utils.conv import escape_bytes

from connectors.active_directory.config import Config
from connectors.active_directory.mapping import ALWAYS_READ, DOMAIN_NAME, GROUP_ATTRIBUTES
from connectors.active_directory.values import guid_bytes

# SAM_NORMAL_USER_ACCOUNT: people and inetOrgPerson, no computers, managed service accounts, trusts or contacts
# ([MS-SAMR] section 2.2.1.9); krbtgt, Administrator, Guest and the built-in groups are critical system objects
PEOPLE: Final = "(sAMAccountType=805306368)(!(objectClass=computer))(!(isCriticalSystemObject=TRUE))"
GROUPS: Final = "(objectClass=group)(!(isCriticalSystemObject=TRUE))"
# a deleted object has lost sAMAccountType and objectCategory, but keeps objectClass
PEOPLE_AND_GROUPS: Final = "(|(objectClass=user)(objectClass=group))(!(objectClass=computer))"
_NAMES_IN_FILTER: Final = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9-]*)(?::[^=)]*)?[<>~]?=")


def people(config: Config, *terms: str) -> str:
    """The filter of the people in scope, with further conditions."""
    return f"(&{PEOPLE}{config.user_filter}{''.join(terms)})"


def groups(config: Config, *terms: str) -> str:
    """The filter of the groups in scope, with further conditions."""
    return f"(&{GROUPS}{config.group_filter}{''.join(terms)})"


def any_of(ids: Iterable[str]) -> str:
    """The condition that the object is one of these GUIDs."""
    return "(|" + "".join(f"(objectGUID={escape_bytes(guid_bytes(guid))})" for guid in ids) + ")"


def user_attributes(config: Config) -> list[str]:
    """What is read of a person, in a fixed order."""
    return sorted({*ALWAYS_READ, *config.mapping.attributes} - {DOMAIN_NAME})


def watched_attributes(config: Config) -> list[str]:
    """The attributes whose change makes an object worth reading again, those of the filters among them."""
    in_filters = _NAMES_IN_FILTER.findall(config.user_filter + config.group_filter)
    watched = {*user_attributes(config), *GROUP_ATTRIBUTES, *in_filters}
    return sorted({*watched, "name", "isDeleted", "sAMAccountType", "primaryGroupID", "objectClass"})
