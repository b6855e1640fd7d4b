"""The settings of an Active Directory source."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ldap3.core.exceptions import LDAPInvalidDnError, LDAPInvalidFilterError
from ldap3.operation.search import parse_filter
from ldap3.utils.dn import parse_dn
from marshmallow import Schema

from connectors import settings
from connectors.active_directory.mapping import DEFAULT_MAPPING
from connectors.mapping import AttributeMapping, MappingError, parse_mapping
from connectors.settings import SettingsError

_URL: Final = re.compile(r"(ldaps?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?/?")
_SECRET_ATTRIBUTES: Final = frozenset(
    ("unicodepwd", "userpassword", "dbcspwd", "ntpwdhistory", "lmpwdhistory", "supplementalcredentials")
) | {"ms-mcs-admpwd", "mslaps-password", "msds-managedpassword", "msfve-recoverypassword"}


class ActiveDirectorySettings(Schema):
    """The form of an Active Directory source, in the order in which it is filled in."""

    urls = settings.lines(
        "Domain controllers",
        "One a line, the preferred one first: ldaps://dc1.example.com, or ldap://dc1.example.com for STARTTLS.",
        required=True,
    )
    bind_dn = settings.text(
        "Service account", "user@example.com, DOMAIN\\user or a DN. An ordinary account can read.", required=True
    )
    password = settings.secret("Password", "The password of the service account.", required=True)
    ca_file = settings.text(
        "CA file", "PEM file with the certificate of your enterprise CA; empty = what this machine trusts."
    )
    verify_certificate = settings.yes_no(
        "Verify the certificate", "Without it anyone between here and there can read the password.", default=True
    )
    base_dns = settings.lines(
        "Base DNs", "Where people and groups are read, one a line: DC=example,DC=com.", required=True
    )
    scope_ous = settings.lines(
        "Only these organizational units", "DNs below a base DN, one a line; empty = everything below the base DNs."
    )
    scope_groups = settings.lines(
        "Only members of these groups",
        "DNs, one a line. Members of nested groups count. Then only these groups and the nested ones are imported.",
    )
    user_filter = settings.text("Filter for people", "LDAP filter that people must match, such as (mail=*).")
    import_groups = settings.yes_no("Import groups", "Whether groups and their members are read.", default=True)
    group_filter = settings.text("Filter for groups", "LDAP filter that groups must match, such as (cn=app-*).")
    mapping = settings.json_text(
        "Attribute mapping", "JSON; a target given here replaces the default one, null removes it."
    )
    page_size = settings.number(
        "Page size", "Objects in one answer; Active Directory gives at most 1000.", default=500, low=1, high=1000
    )
    connect_timeout = settings.number("Connect timeout", "Seconds to reach a controller.", default=5, low=1, high=60)
    read_timeout = settings.number("Read timeout", "Seconds to wait for an answer.", default=60, low=1, high=600)


SCHEMA: Final = ActiveDirectorySettings()


@dataclass(frozen=True)
class Config:
    """Checked settings; make one with ``parse_config``."""

    urls: tuple[str, ...]
    bind_dn: str
    password: str = field(repr=False)
    base_dns: tuple[str, ...]
    ca_file: str
    verify_certificate: bool
    scope_ous: tuple[str, ...]
    scope_groups: tuple[str, ...]
    user_filter: str
    import_groups: bool
    group_filter: str
    mapping: AttributeMapping
    page_size: int
    connect_timeout: int
    read_timeout: int

    @cached_property
    def scope_hash(self) -> str:
        """A hash of what is read; another scope needs a full read."""
        scope = [self.base_dns, self.scope_ous, self.scope_groups, self.user_filter, self.group_filter]
        return hashlib.sha256(json.dumps([*scope, self.import_groups]).encode()).hexdigest()[:16]

    @property
    def bases(self) -> tuple[str, ...]:
        """The subtrees in which people and groups are read."""
        return self.scope_ous or self.base_dns


def parse_config(values: Mapping[str, str], secrets: Mapping[str, str]) -> Config:
    """The settings from texts. Raises SettingsError with every problem, by setting."""
    loaded = settings.load_settings(SCHEMA, values, secrets)
    problems = dict(_problems(loaded))
    try:
        loaded["mapping"] = parse_mapping(loaded["mapping"], DEFAULT_MAPPING)
        refused = sorted(name for name in loaded["mapping"].attributes if name.lower() in _SECRET_ATTRIBUTES)
        if refused:
            problems["mapping"] = f"must not read {', '.join(refused)}"
    except MappingError as error:
        problems["mapping"] = str(error)
    if problems:
        raise SettingsError(problems)
    return Config(**loaded)


def _problems(loaded: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for url in loaded["urls"]:
        if not _URL.fullmatch(url):
            yield "urls", f"{url} is not of the form ldaps://host or ldap://host, with :port if needed"
    for name in ("base_dns", "scope_ous", "scope_groups"):
        for dn in loaded[name]:
            if dn_key(dn) is None:
                yield name, f"{dn} is not a DN such as OU=Staff,DC=example,DC=com"
    for name in ("user_filter", "group_filter"):
        if loaded[name] and not _is_filter(loaded[name]):
            yield name, "is not an LDAP filter such as (mail=*)"
    bases = [key for dn in loaded["base_dns"] if (key := dn_key(dn))]
    for dn in (*loaded["scope_ous"], *loaded["scope_groups"]):
        key = dn_key(dn)
        if key and not any(is_within(key, base) for base in bases):
            yield ("scope_ous" if dn in loaded["scope_ous"] else "scope_groups"), f"{dn} is not below a base DN"
    if loaded["ca_file"] and not Path(loaded["ca_file"]).is_file():
        yield "ca_file", "there is no such file"


def dn_key(dn: str) -> tuple[str, ...] | None:
    """The parts of a DN in a form that compares equal for equal DNs; None for what is no DN."""
    for strip in (True, False):  # ldap3 strips an escaped blank at the end of a part as well, and then refuses the rest
        try:
            parts = parse_dn(dn, escape=False, strip=strip)
        except (LDAPInvalidDnError, IndexError):
            continue
        return tuple(f"{kind.lower()}={value.casefold()}" for kind, value, _ in parts) or None
    return None


def is_within(key: tuple[str, ...], base: tuple[str, ...]) -> bool:
    """Whether the DN is the base or lies below it."""
    return key[-len(base) :] == base


def _is_filter(text: str) -> bool:
    try:
        parse_filter(text, None, True, True, None, False)  # type: ignore[no-untyped-call]  # its stub has no types
    except LDAPInvalidFilterError:
        return False
    return text.startswith("(")


def host_and_port(url: str) -> tuple[str, int, bool]:
    """Host, port and whether TLS comes first, of a checked URL."""
    found = _URL.fullmatch(url)
    if not found:
        raise ValueError("not an LDAP URL")
    is_ldaps = found[1] == "ldaps"
    return found[2].strip("[]"), int(found[3] or (636 if is_ldaps else 389)), is_ldaps
