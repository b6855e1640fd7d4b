"""What the registry knows of this connector."""

from collections.abc import Mapping

from connectors.active_directory.config import SCHEMA, parse_config
from connectors.active_directory.reader import ActiveDirectoryReader
from connectors.registry import Connector


def open_reader(settings: Mapping[str, str], secrets: Mapping[str, str]) -> ActiveDirectoryReader:
    """A reader of the domain; raises SettingsError."""
    return ActiveDirectoryReader(parse_config(settings, secrets))


CONNECTOR = Connector(
    "active-directory",
    "Active Directory",
    SCHEMA,
    open_reader,
    also_called={
        "url": "urls",
        "base_dn": "base_dns",
        "scope_ou": "scope_ous",
        "scope_group": "scope_groups",
        "filter": "user_filter",
    },
)
