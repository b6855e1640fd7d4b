"""Which kinds of directories can be read: the built-in ones, and those of installed packages.

A package adds one with an entry point of the group ``scim_server.connectors`` that names a ``Connector``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from marshmallow import Schema

from connectors.settings import Setting, describe_settings
from scim_server.domain.observations import DirectoryReader

GROUP: Final = "scim_server.connectors"

OpenReader = Callable[[Mapping[str, str], Mapping[str, str]], DirectoryReader]
"""A reader from settings and secrets; touches no network, raises SettingsError with every problem."""


class UnknownKind(LookupError):
    """No connector reads directories of that kind."""


@dataclass(frozen=True, slots=True)
class Connector:
    """How directories of one kind are read; ``also_called`` maps other spellings of settings to the setting's name."""

    kind: str
    label: str
    schema: Schema
    open_reader: OpenReader
    also_called: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Sequence[Setting]:
        """What it needs to be told, in the order of a form."""
        return describe_settings(self.schema)


# Named, not imported: a server that only receives pushes loads neither ldap3 nor msal.
_BUILT_IN: Final = tuple(
    EntryPoint(kind, f"connectors.{package}.connector:CONNECTOR", GROUP)
    for kind, package in (("active-directory", "active_directory"), ("entra", "entra"), ("sample", "sample"))
)


def kinds() -> list[str]:
    """Every kind that can be read, the built-in ones first."""
    return list(_entries())


def find_connector(kind: str) -> Connector:
    """The connector of the kind. Raises UnknownKind."""
    entry = _entries().get(kind)
    if entry is None:
        raise UnknownKind(f"nothing reads directories of the kind {kind!r}; there are {', '.join(kinds())}")
    connector = entry.load()
    if not isinstance(connector, Connector):
        raise UnknownKind(f"{entry.value}, which is to read {kind!r}, is no connector")
    return connector


def _entries() -> dict[str, EntryPoint]:
    """By kind; nobody takes the place of a built-in one."""
    built_in = {entry.name: entry for entry in _BUILT_IN}
    return {**built_in, **{entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in built_in}}
