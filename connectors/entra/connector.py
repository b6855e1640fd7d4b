"""What the registry knows of this connector."""

from collections.abc import Mapping

from connectors.entra.config import SCHEMA, parse_config
from connectors.entra.reader import EntraReader
from connectors.registry import Connector


def open_reader(settings: Mapping[str, str], secrets: Mapping[str, str]) -> EntraReader:
    """A reader of the tenant; raises SettingsError."""
    return EntraReader(parse_config(settings, secrets))


CONNECTOR = Connector("entra", "Microsoft Entra ID", SCHEMA, open_reader, also_called={"scope_group": "scope_groups"})
