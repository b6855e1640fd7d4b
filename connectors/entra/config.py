"""What the Entra ID connector needs to be told."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import orjson
from marshmallow import Schema

from connectors import settings
from connectors.entra.mapping import DEFAULT_MAPPING
from connectors.mapping import AttributeMapping, MappingError, parse_mapping
from connectors.settings import SettingsError

GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
EVERYBODY: Final = "all"
MEMBERS_ONLY: Final = "members_only"


class Cloud(NamedTuple):
    """The sign-in service and the Graph root of one of Microsoft's clouds, whose tokens are not interchangeable."""

    authority: str
    graph_root: str


CLOUDS: Final[Mapping[str, Cloud]] = {
    "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "usgov": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "usgov-dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": Cloud("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
}
"""https://learn.microsoft.com/graph/deployments"""


class EntraSettings(Schema):
    """The settings as people enter them."""

    tenant_id = settings.text("Tenant ID", "The tenant's GUID or one of its verified domains.", required=True)
    client_id = settings.text("Client ID", "The Application (client) ID of the app registration.", required=True)
    client_secret = settings.secret("Client secret", "The secret's Value, not its Secret ID. Empty with a certificate.")
    secret_expires_on = settings.date(
        "Secret expires on", "From the app registration; the connection test warns ahead."
    )
    certificate_path = settings.text(
        "Certificate file", "PEM with certificate and private key, or PFX, readable by the server; instead of a secret."
    )
    certificate_passphrase = settings.secret("Certificate passphrase", "Only if the private key is encrypted.")
    cloud = settings.choice("Cloud", "Where the tenant lives.", default="global", choices=CLOUDS)
    users = settings.choice(
        "Users",
        "members_only: when scope groups are named, their members, also through nested groups. all: everybody; scope "
        "groups then only choose the groups.",
        default=MEMBERS_ONLY,
        choices=(MEMBERS_ONLY, EVERYBODY),
    )
    guests = settings.yes_no("Guests", "Whether users of the type Guest come in.", default=False)
    scope_groups = settings.lines("Scope groups", "Object ids of groups, one a line; empty for the whole tenant.")
    import_groups = settings.yes_no("Import groups", "Whether groups and their members come in.", default=True)
    mapping = settings.json_text("Mapping", "Changes to the default mapping, as a JSON object.")
    ca_file = settings.text("CA file", "PEM; only where a proxy inspects TLS. Empty: the public authorities.")
    authority = settings.text("Sign-in URL", "Instead of the cloud's, for a test environment; together with Graph URL.")
    graph_root = settings.text("Graph URL", "Instead of the cloud's, for a test environment.")


SCHEMA: Final = EntraSettings()


@dataclass(frozen=True, slots=True)
class Config:
    """Checked settings; make one with ``parse_config``. Secrets do not show in the representation."""

    tenant_id: str
    client_id: str
    endpoints: Cloud
    mapping: AttributeMapping
    client_secret: str = field(default="", repr=False)
    secret_expires_on: date | None = None
    certificate_path: str = ""
    certificate_passphrase: str = field(default="", repr=False)
    users: str = MEMBERS_ONLY
    guests: bool = False
    scope_groups: tuple[str, ...] = ()
    import_groups: bool = True
    ca_file: str = ""

    @property
    def only_members(self) -> bool:
        """Whether only members of the scope groups come in."""
        return bool(self.scope_groups) and self.users == MEMBERS_ONLY

    @property
    def scope_hash(self) -> str:
        """Changes when the settings cover other objects."""
        scope = [
            self.tenant_id.lower(),
            self.endpoints.graph_root,
            self.users,
            self.guests,
            sorted(group.lower() for group in self.scope_groups),
            self.import_groups,
        ]
        return hashlib.sha256(orjson.dumps(scope)).hexdigest()[:16]


def parse_config(values: Mapping[str, str], secrets: Mapping[str, str]) -> Config:
    """The settings from texts. Raises SettingsError with every problem, by setting."""
    loaded = settings.load_settings(SCHEMA, values, secrets)
    problems = dict(_problems(loaded))
    try:
        loaded["mapping"] = parse_mapping(loaded["mapping"], DEFAULT_MAPPING)
    except MappingError as error:
        problems["mapping"] = str(error)
    if problems:
        raise SettingsError(problems)
    own, cloud = Cloud(loaded.pop("authority"), loaded.pop("graph_root")), CLOUDS[loaded.pop("cloud")]
    return Config(endpoints=own if own.authority else cloud, **loaded)


def _problems(loaded: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if not GUID.fullmatch(loaded["tenant_id"]) and not _DOMAIN.fullmatch(loaded["tenant_id"]):
        yield "tenant_id", "must be a GUID or a domain; 'common' and 'organizations' are no tenants"
    if not GUID.fullmatch(loaded["client_id"]):
        yield "client_id", "must be a GUID"
    if bool(loaded["client_secret"]) == bool(loaded["certificate_path"]):
        yield "client_secret", "give either a client secret or a certificate file"
    wrong = [line for line in loaded["scope_groups"] if not GUID.fullmatch(line)]
    if wrong:
        yield "scope_groups", f"must be object ids (GUIDs), which these are not: {', '.join(wrong)}"
    if bool(loaded["authority"]) != bool(loaded["graph_root"]):
        yield "authority", "goes together with graph_root"
    for name in ("authority", "graph_root"):
        if loaded[name] and urlsplit(loaded[name]).scheme != "https":
            yield name, "must begin with https://"
    for name in ("ca_file", "certificate_path"):
        if loaded[name] and not Path(loaded[name]).is_file():
            yield name, "there is no such file"


def looks_like_secret_id(secret: str) -> bool:
    """Whether a secret is a GUID, as its Secret ID is and its Value never."""
    return GUID.fullmatch(secret.strip()) is not None
