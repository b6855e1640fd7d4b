"""What the rules of the domain refuse, each with the facts an administrator needs; the edges put them into words."""

from collections.abc import Mapping, Sequence

from scim_server.domain.breakers import Tripped
from scim_server.domain.keys import Claim


class DomainError(Exception):
    """A rule of the domain forbids what was asked."""


class NotFound(DomainError):
    """There is no such user, group, plan, source or duplicate, or not for the one who asks."""


class Conflict(DomainError):
    """Values that must be unique are held by others: claim to the id of its holder."""

    def __init__(self, holders: Mapping[Claim, str]) -> None:
        super().__init__("already held by another: " + ", ".join(sorted({claim.ns for claim in holders})))
        self.holders = holders


class HeldTwice(DomainError):
    """Values that are to be unique from now on have two holders; the text names the first few."""


class StalePlan(DomainError):
    """The plan changed, expired or was superseded after it was shown: its fingerprint no longer fits."""


class PlanNotReady(DomainError):
    """The plan is not in a status that allows this; the text names the status."""


class Blocked(DomainError):
    """Circuit breakers hold the plan back until somebody approves exactly this plan."""

    def __init__(self, tripped: Sequence[Tripped]) -> None:
        super().__init__(" ".join(breaker.text for breaker in tripped))
        self.tripped = tuple(tripped)


class WrongNumber(DomainError):
    """An approval of a blocked plan did not repeat the number of the breaker."""


class LeaseLost(DomainError):
    """Another worker has taken over the source; nothing more may be written under the old token."""


class SourceBusy(DomainError):
    """Another run of the source is under way; one runs at a time."""
