"""The provisioning client behind a request: what its bearer token allows and how its source is to be treated."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a token may do."""

    READ = "read"
    WRITE = "write"


class OnDeleted(StrEnum):
    """What becomes of a user whose last link a source has removed."""

    DELETE = "delete"
    DEACTIVATE = "deactivate"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """The rules of uniqueness that hold for everybody in a tenant.

    ``cross_login``: a username that reads as an address may not be another user's e-mail address, nor the reverse.
    """

    email_unique: bool = True
    cross_login: bool = True
    group_name_unique: bool = True


@dataclass(frozen=True, slots=True)
class PushSettings:
    """How a source of kind ``scim`` is treated.

    ``external_id_is_entra_object_id`` makes externalId an anchor: it names the same person as a pulled Entra object.
    ``on_deleted`` says what a client's DELETE does to a user that no other source links.
    """

    external_id_is_entra_object_id: bool = True
    on_deleted: OnDeleted = OnDeleted.DELETE


@dataclass(frozen=True, slots=True)
class Client:
    """A token that is valid now, with everything a request under it needs to know."""

    tenant_id: int
    tenant_name: str
    source_id: int
    source_name: str
    source_rank: int
    token_id: str
    token_name: str
    scopes: frozenset[Scope]
    strict: bool = False
    user_id: str | None = None
    expires_at: datetime | None = None
    tenant: TenantSettings = TenantSettings()
    push: PushSettings = PushSettings()

    def may(self, scope: Scope) -> bool:
        """Whether the token carries the scope."""
        return scope in self.scopes
