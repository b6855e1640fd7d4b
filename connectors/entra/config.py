"""What the Entra ID connector needs to be told."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import orjson
from marshmallow import Schema, ValidationError, validates, validates_schema

from connectors import settings
from connectors.entra.mapping import DEFAULT_MAPPING
from connectors.mapping import AttributeMapping, MappingError, parse_mapping

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


class EntraSettingsSchema(Schema):
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

    @validates("tenant_id")
    def _tenant_is_one(self, value: str, data_key: str) -> None:  # noqa: ARG002 - marshmallow passes it
        if not GUID.fullmatch(value) and not _DOMAIN.fullmatch(value):
            raise ValidationError("must be a GUID or a domain; 'common' and 'organizations' are no tenants")

    @validates("client_id")
    def _client_id_is_guid(self, value: str, data_key: str) -> None:  # noqa: ARG002 - marshmallow passes it
        if not GUID.fullmatch(value):
            raise ValidationError("must be a GUID")

    @validates("scope_groups")
    def _scope_groups_are_guids(self, value: tuple[str, ...], data_key: str) -> None:  # noqa: ARG002 - marshmallow
        wrong = [line for line in value if not GUID.fullmatch(line)]
        if wrong:
            raise ValidationError(f"must be object ids (GUIDs), which these are not: {', '.join(wrong)}")

    @validates("mapping")
    def _mapping_is_one(self, value: Any, data_key: str) -> None:  # noqa: ARG002 - marshmallow passes it
        try:
            parse_mapping(value, DEFAULT_MAPPING)
        except MappingError as error:
            raise ValidationError(str(error)) from error

    @validates_schema
    def _fits_together(self, data: Mapping[str, Any], **_: Any) -> None:
        if bool(data.get("client_secret")) == bool(data.get("certificate_path")):
            raise ValidationError("give either a client secret or a certificate file", "client_secret")
        if bool(data.get("authority")) != bool(data.get("graph_root")):
            raise ValidationError("authority and graph_root go together", "authority")
        for name in ("authority", "graph_root"):
            if data.get(name) and urlsplit(data[name]).scheme != "https":
                raise ValidationError("must begin with https://", name)


@dataclass(frozen=True, slots=True)
class EntraSettings:
    """Checked settings; secrets do not show in the representation."""

    tenant_id: str
    client_id: str
    endpoints: Cloud
    mapping: AttributeMapping
    client_secret: str = ""
    secret_expires_on: date | None = None
    certificate_path: str = ""
    certificate_passphrase: str = ""
    users: str = MEMBERS_ONLY
    guests: bool = False
    scope_groups: tuple[str, ...] = ()
    import_groups: bool = True
    ca_file: str = ""

    def __repr__(self) -> str:
        return f"EntraSettings(tenant_id={self.tenant_id!r}, client_id={self.client_id!r})"

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


def load_entra_settings(values: Mapping[str, str], secrets: Mapping[str, str]) -> EntraSettings:
    """The settings from text values. Raises SettingsError naming each field that cannot be used."""
    given = settings.load_settings(EntraSettingsSchema(), values, secrets)
    own = Cloud(given.pop("authority"), given.pop("graph_root"))
    cloud = CLOUDS[given.pop("cloud")]
    mapping = parse_mapping(given.pop("mapping"), DEFAULT_MAPPING)
    return EntraSettings(endpoints=own if own.authority else cloud, mapping=mapping, **given)


def looks_like_secret_id(secret: str) -> bool:
    """Whether a secret is a GUID, as its Secret ID is and its Value never."""
    return GUID.fullmatch(secret.strip()) is not None
