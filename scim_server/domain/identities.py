"""Users, their links and the sources behind them, as the rules of the domain see them.

Attributes are flat (``domain/attributes.py``): "userName", "name.givenName", "urn:...:User:department".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f0d5f0c-2f5e-5b7e-9d1d-7b6d0c1f3a52")  # arbitrary, never to be changed: ids derive from it
REPLICA_LAG = timedelta(minutes=15)
"""How much younger a pull must be than a push to overrule it: Graph may answer from a replica that lags."""


class SourceKind(StrEnum):
    """Where attributes come from."""

    AD = "ad"
    ENTRA = "entra"
    SCIM = "scim"
    LOCAL = "local"
    FILE = "file"


class LinkState(StrEnum):
    """What a source last said about an object; only a present link provides attributes."""

    PRESENT = "present"
    OUT_OF_SCOPE = "out_of_scope"
    DELETED = "deleted"


class LinkOrigin(StrEnum):
    """Why an object belongs to its user."""

    ANCHOR = "anchor"
    STRONG = "strong"
    MANUAL = "manual"
    CREATED = "created"


class UserState(StrEnum):
    """A tombstone is a deleted user that the same immutable id may restore; it holds no claims."""

    LIVE = "live"
    TOMBSTONE = "tombstone"


class NullHandling(StrEnum):
    """What a source's "has no value" means for an attribute that others may provide."""

    NONE = "none"
    """Nothing: another channel of the realm or the next source is asked."""
    FILL_EMPTY = "fill_empty"
    """The realm has no value any more; the next source fills the gap."""
    OVERWRITE = "overwrite"
    """The attribute has no value, whatever the sources behind say."""


class Reaction(StrEnum):
    """What becomes of a user when a source deletes, disables or no longer covers its object."""

    DELETE = "delete"
    DEACTIVATE = "deactivate"
    IGNORE = "ignore"


class Weak(StrEnum):
    """What a mere equality of username or e-mail means: a duplicate, or (under conditions) the same person."""

    DUPLICATE = "duplicate"
    ADOPT = "adopt"


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A source with its policies; the smaller ``rank`` has the say. Sources of one ``realm`` are two ways to one
    directory: a pull and a push of the same Entra tenant."""

    id: int
    kind: SourceKind | str
    rank: int
    null_handling: NullHandling | str = NullHandling.NONE
    on_deleted: Reaction | str = Reaction.DELETE
    on_out_of_scope: Reaction | str = Reaction.DEACTIVATE
    on_disabled: Reaction | str = Reaction.DEACTIVATE
    duplicate_keys: frozenset[str] = frozenset({"username", "email"})
    strong_keys: tuple[str, ...] = ()
    """Flat attributes whose equality proves the same person, for example employeeNumber."""
    weak: Weak | str = Weak.DUPLICATE
    realm: str | None = None
    grace: timedelta = REPLICA_LAG


@dataclass(frozen=True, slots=True)
class Link:
    """What one source says of one object, and the user that this object is.

    ``mapped`` holds flat attributes, None for "has no value"; ``times`` tells when an attribute was learnt where that
    differs from ``read_at`` (a pull: when the page was asked for; a push: when it arrived).
    """

    source_id: int
    immutable_id: str
    state: LinkState | str = LinkState.PRESENT
    enabled: bool | None = None
    mapped: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, datetime] = field(default_factory=dict)
    read_at: datetime | None = None
    origin: LinkOrigin | str = LinkOrigin.CREATED
    user_id: str | None = None
    separated: bool = False
    """An administrator took the object off a user; it is never joined to anybody automatically again."""
    copied: bool | None = None
    """Whether Entra ID says that the object is a copy from Active Directory (onPremisesSyncEnabled); None = unknown."""
    pinned: frozenset[str] | None = None
    """Of a local link: the flat attributes that outrank every source; None = all of them."""

    @property
    def is_present(self) -> bool:
        """Whether the object exists within the scope of its source."""
        return self.state == LinkState.PRESENT

    def learnt_at(self, name: str) -> datetime | None:
        """When the source said this value of the attribute."""
        return self.times.get(name, self.read_at)


@dataclass(frozen=True, slots=True)
class User:
    """A user with its links; ``document`` is the stored SCIM document."""

    id: str
    document: Mapping[str, Any]
    active: bool = True
    state: UserState | str = UserState.LIVE
    version: int = 1
    privileged: bool = False
    admin_block: bool = False
    links: tuple[Link, ...] = ()


def derive_user_id(source_id: int, immutable_id: str) -> str:
    """The id of a user that a pull creates: the same object gets the same id in every preview."""
    return str(uuid5(_NAMESPACE, f"{source_id}:{immutable_id}"))
