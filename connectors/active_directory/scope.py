"""What is read: the subtrees, the domain they belong to and the effective members of the scope groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.active_directory.config import Config, dn_key, is_within
from connectors.active_directory.connection import SUBTREE, DomainController
from connectors.active_directory.errors import DirectoryError
from connectors.active_directory.groups import Expansion, expand
from connectors.active_directory.values import guid_bytes
from scim_server.domain.observations import Kind


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope as it is in the directory now."""

    root: str
    """The naming context, that is the DN of the domain."""
    domain_name: str
    """The NetBIOS name of the domain, the part before the backslash in DOMAIN\\name."""
    bases: tuple[str, ...]
    """Subtrees that do not overlap."""
    selected: Expansion | None
    """The members of the scope groups, None where the scope names none."""

    def covers(self, kind: Kind, guid: str) -> bool:
        """Whether the scope groups let this object in."""
        if self.selected is None:
            return True
        return guid_bytes(guid) in (self.selected.users if kind is Kind.USER else self.selected.groups)


def resolve_scope(controller: DomainController, config: Config) -> Scope:
    """The scope; raises DirectoryError where a base DN or a scope group does not exist or cannot be read.

    A renamed organizational unit is an error and never "everybody left".
    """
    root = controller.root(["defaultNamingContext"]).text("defaultNamingContext")
    bases = [_existing(controller, dn, root) for dn in config.bases]
    return Scope(
        root=root,
        domain_name=_domain_name(controller, root),
        bases=_without_nested(bases),
        selected=expand(controller, root, config.scope_groups) if config.scope_groups else None,
    )


def _existing(controller: DomainController, dn: str, root: str) -> str:
    """The DN as the directory spells it."""
    try:
        entry = controller.read(dn, ["objectClass"])
    except DirectoryError as error:
        raise DirectoryError(f"{error.text}: {dn}", error.remedy, error.code) from error
    if entry is None or not entry.values:
        raise DirectoryError(f"{controller.url}: the account may not read {dn}", "Grant read access to it.")
    if not is_within(dn_key(entry.dn) or (), dn_key(root) or ()):
        raise DirectoryError(f"{controller.url}: {dn} does not belong to the domain {root}", "Use a DN of this domain.")
    return entry.dn


def _domain_name(controller: DomainController, root: str) -> str:
    configuration = controller.root(["configurationNamingContext"]).text("configurationNamingContext")
    query = f"(&(objectClass=crossRef)(nCName={root}))"
    for page in controller.search(f"CN=Partitions,{configuration}", query, ["nETBIOSName"], scope=SUBTREE):
        for entry in page:
            return entry.text("nETBIOSName")
    return ""


def _without_nested(dns: Sequence[str]) -> tuple[str, ...]:
    """The DNs without those below another one, each once."""
    keys = {dn: dn_key(dn) or () for dn in dict.fromkeys(dns)}
    return tuple(
        dn for dn, key in keys.items() if not any(other != key and is_within(key, other) for other in keys.values())
    )
