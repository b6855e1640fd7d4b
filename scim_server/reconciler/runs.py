"""What is asked of a preview or an apply, and what they answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scim_server.domain.breakers import Tripped
from scim_server.domain.counts import Counts
from scim_server.domain.plan import PlanStatus

Progress = Callable[[int, int | None], None]
"""Called with the objects done and the objects in all (None while nobody knows)."""

ShouldStop = Callable[[], bool]
"""Asked between transactions; True ends the run in order."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What to preview: one source, everything or what changed since the last run, or only certain objects.

    ``plan_id`` is given by whoever wants to know it beforehand; a preview that was interrupted starts again under the
    same id. ``objects`` are immutable ids: only these are looked up and planned, and no cursor moves.
    """

    tenant: int
    source_id: int
    plan_id: str | None = None
    full: bool = False
    objects: Sequence[str] = ()
    actor: str = "system"


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan after its preview. ``status`` is ready, blocked, cancelled or failed; ``reason`` says why in words.

    ``counts`` are those of the users, ``group_counts`` those of the groups. ``blocked`` are the breakers that hold it.
    """

    id: str
    source_id: int
    status: PlanStatus
    fingerprint: str
    content_fingerprint: str
    counts: Counts
    group_counts: Counts
    blocked: tuple[Tripped, ...] = ()
    reason: str = ""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A plan after its apply. ``status`` is applied, applied_with_drift, cancelled or failed."""

    id: str
    source_id: int
    status: PlanStatus
    fingerprint: str
    counts: Counts
    group_counts: Counts
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody looked at a blocked plan: who, and for each breaker that tripped the number it showed."""

    by: str
    numbers: Mapping[str, int]
