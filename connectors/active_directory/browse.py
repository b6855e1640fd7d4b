"""The places an administrator may choose as scope."""

from collections.abc import Sequence
from typing import Final

from connectors.active_directory.config import Config
from connectors.active_directory.connection import LEVEL, NO_ATTRIBUTES, DomainController
from connectors.active_directory.entries import Entry
from scim_server.domain.observations import Place

_PLACES: Final = "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain))"
_SHOWN: Final = f"(&(|{_PLACES}(objectClass=group))(!(showInAdvancedViewOnly=TRUE)))"
_KINDS: Final = {b"organizationalUnit": "organizational unit", b"group": "group"}


def browse(controller: DomainController, config: Config, parent: str | None) -> Sequence[Place]:
    """The organizational units, containers and groups below the DN, or the base DNs. Raises DirectoryError."""
    if parent is None:
        return [Place(dn, dn, "base", has_children=_has_children(controller, dn)) for dn in config.base_dns]
    found = [
        _place(controller, entry)
        for page in controller.search(parent, _SHOWN, ["objectClass", "name"], scope=LEVEL)
        for entry in page
    ]
    return sorted(found, key=lambda place: (place.kind == "group", place.name.casefold()))


def _place(controller: DomainController, entry: Entry) -> Place:
    classes = entry.values.get("objectclass", ())
    kind = next((words for name, words in _KINDS.items() if name in classes), "container")
    return Place(entry.dn, entry.text("name"), kind, kind != "group" and _has_children(controller, entry.dn))


def _has_children(controller: DomainController, dn: str) -> bool:
    return any(controller.search(dn, _SHOWN, NO_ATTRIBUTES, scope=LEVEL, page_size=1))
