"""A proposal: the end state that a request or a run wants for one resource, with everything needed to decide on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from scim_server.domain.allocate import Claimant
from scim_server.domain.attributes import differences, flatten
from scim_server.domain.clients import Client
from scim_server.domain.keys import Claim, UnusableValue, Wanted, claims_of, group_claims
from scim_server.scim.errors import InvalidValue
from scim_server.scim.registry import ResourceType
from scim_server.store.identities.links import StoredLink
from scim_server.store.identities.resources import Loaded

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who changes something through which source and channel, and under which request or plan; for the change log."""

    source_id: int
    actor: str
    at: str
    request: str | None = None
    channel: str = "push"
    plan: str | None = None


@dataclass(frozen=True)
class Proposal:
    """The wanted end state of one resource.

    ``loaded`` is None for a new resource. ``before`` and ``after`` are stored documents (``before`` empty for a new
    one); ``asserted`` are the flat attributes that the asking source now says, kept as its link's snapshot.
    """

    resource_type: ResourceType
    resource_id: str
    loaded: Loaded | None
    before: Document
    after: Document
    link: StoredLink
    wanted: Sequence[Wanted]
    held: Sequence[Wanted] = ()
    anchors: Mapping[str, str] = field(default_factory=dict)
    link_moves: bool = True
    """Whether the link is new, or its state or its resource another than before."""
    action: str = ""
    """What the change log calls it; empty = what the differences say."""

    @cached_property
    def claims_change(self) -> bool:
        return {(claim.claim, claim.role) for claim in self.wanted} != {
            (claim.claim, claim.role) for claim in self.held
        }

    @property
    def dropped(self) -> set[Claim]:
        """Claims that are given up, those included that only change their role."""
        kept = {(claim.claim, claim.role) for claim in self.wanted}
        return {claim.claim for claim in self.held if (claim.claim, claim.role) not in kept}

    @property
    def taken(self) -> list[Wanted]:
        had = {(claim.claim, claim.role) for claim in self.held}
        return [claim for claim in self.wanted if (claim.claim, claim.role) not in had]

    def claimant(self) -> Claimant:
        """This proposal in the words of the allocation."""
        return Claimant(
            id=self.resource_id,
            held=frozenset(claim.claim for claim in self.held),
            wanted=frozenset(claim.claim for claim in self.wanted),
            rank=(0 if self.loaded else 1, self.link.source_rank, self.resource_id),
        )

    @cached_property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Flat attribute name to (old, new)."""
        return differences(self.before, self.after)


def wanted_claims(document: Mapping[str, Any], resource_type: ResourceType, client: Client) -> list[Wanted]:
    """The claims that a pushed document makes; raises InvalidValue for a name that cannot be a key."""
    try:
        if resource_type.name == "Group":
            return group_claims(document, unique=client.tenant.group_name_unique)
        return claims_of(
            document,
            email_unique=client.tenant.email_unique,
            cross_login=client.tenant.cross_login,
            address_required=False,
        )
    except UnusableValue as error:
        raise InvalidValue(str(error)) from None


def new_link(client: Client, immutable_id: str, document: Document, at: str, *, origin: str) -> StoredLink:
    """A present link whose snapshot is the whole document."""
    return StoredLink(
        source_id=client.source_id,
        source_kind="scim",
        source_rank=client.source_rank,
        immutable_id=immutable_id,
        state="present",
        enabled=document.get("active"),
        origin=origin,
        mapped=orjson.dumps(flatten(document)).decode(),
        times="{}",
        read_at=at,
    )


def updated_link(link: StoredLink, changed: Mapping[str, tuple[Any, Any]], at: str) -> StoredLink:
    """The link after its source said these new values; None stands for "has no value"."""
    mapped, times = orjson.loads(link.mapped), orjson.loads(link.times)
    for name, (_, new) in changed.items():
        mapped[name] = new
        times[name] = at
    return link._replace(
        state="present",
        enabled=changed["active"][1] if "active" in changed else link.enabled,
        mapped=orjson.dumps(mapped).decode(),
        times=orjson.dumps(times).decode(),
    )
