"""The counts of a plan or run; console, command line and API use these words."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """How many objects each thing happened to; ``duplicated`` counts withheld objects, not their conflicts."""

    read: int = 0
    added: int = 0
    modified: int = 0
    reactivated: int = 0
    deactivated: int = 0
    deleted: int = 0
    restored: int = 0
    linked: int = 0
    unlinked: int = 0
    duplicated: int = 0
    dismissed: int = 0
    blocked_by: int = 0
    unchanged: int = 0
    out_of_scope: int = 0
    deferred: int = 0
    stale: int = 0
    errors: int = 0

    def as_dict(self) -> dict[str, int]:
        """Word to number, in the order in which they are shown."""
        return asdict(self)
