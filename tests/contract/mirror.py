"""A store that believes a reader, to compare what different reads make of a directory."""

from collections.abc import Sequence
from typing import Any

from scim_server.domain.observations import DirectoryReader, End, Evidence, Member, Observation, Page, ReadEnd


class Mirror:
    """What a store would hold that believes a reader: the last word on every object that is there."""

    def __init__(self, reader: DirectoryReader) -> None:
        self._reader = reader
        self.present: dict[str, Observation] = {}
        self.cursor: str | None = None

    def read(self, *, full: bool = False) -> tuple[list[Observation], ReadEnd]:
        """Read, believe what was read, and return it."""
        pages = list(self._reader.read(self.cursor, full=full))
        observations, end = in_one(pages)
        if end.full and end.end is End.COMPLETE:
            read = {observation.immutable_id for observation in observations}
            self.present = {key: value for key, value in self.present.items() if key in read}
        for observation in observations:
            self._believe(observation)
        self.cursor = end.cursor
        return observations, end

    def _believe(self, observation: Observation) -> None:
        if observation.evidence is not Evidence.PRESENT:
            self.present.pop(observation.immutable_id, None)
            return
        before = self.present.get(observation.immutable_id)
        self.present[observation.immutable_id] = merged(before, observation)

    def content(self) -> dict[str, Any]:
        """Everything that counts, comparable between mirrors."""
        return {key: content(observation) for key, observation in self.present.items()}


def in_one(pages: Sequence[Page]) -> tuple[list[Observation], ReadEnd]:
    """All observations of a read and its end, which only the last page carries."""
    assert all(page.end is None for page in pages[:-1])
    end = pages[-1].end
    assert end is not None
    return [observation for page in pages for observation in page.observations], end


def merged(before: Observation | None, after: Observation) -> Observation:
    """The observation with what it does not tell taken from the one before."""
    if before is None:
        return after
    members = after.members if after.members is not None else before.members
    if after.member_changes:
        kept = {member.immutable_id: member for member in members or ()}
        for key, is_added in after.member_changes.items():
            kept.pop(key, None)
            if is_added:
                kept[key] = Member(key)
        members = list(kept.values())
    return Observation(
        kind=after.kind,
        immutable_id=after.immutable_id,
        evidence=after.evidence,
        read_at=after.read_at,
        attributes={**before.attributes, **after.attributes},
        enabled=before.enabled if after.enabled is None else after.enabled,
        anchors={**before.anchors, **after.anchors},
        manager=after.manager if after.manager_known else before.manager,
        manager_known=before.manager_known or after.manager_known,
        members=members,
    )


def content(observation: Observation) -> Any:
    """What an observation says of the object, without when and where it was read."""
    return (
        observation.kind,
        dict(observation.attributes),
        observation.enabled,
        observation.manager,
        sorted(member.immutable_id for member in observation.members or ()),
    )
