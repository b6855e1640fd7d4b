"""Reading a directory into staged observations, page by page."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from scim_server.domain.observations import (
    DirectoryReader,
    End,
    Evidence,
    Kind,
    Member,
    Observation,
    ReadEnd,
    ReadFailed,
)
from scim_server.domain.times import from_text, to_text
from scim_server.reconciler.holding import Hold
from scim_server.reconciler.runs import Progress, ShouldStop
from scim_server.store.engine import Session
from scim_server.store.identities import staging
from scim_server.store.identities.staging import Staged

_LOOKED_UP_AT_ONCE = 100


class Stopped(Exception):
    """Somebody asked the run to stop."""


def read_pages(
    hold: Hold,
    reader: DirectoryReader,
    config_hash: str,
    *,
    cursor: str | None,
    full: bool,
    progress: Progress,
    should_stop: ShouldStop,
) -> ReadEnd:
    """Everything the reader tells is staged; how the read ended. Raises ReadFailed, Stopped, LeaseLost."""
    done = 0
    for page in reader.read(cursor, full=full):
        if page.observations:
            with hold.transaction() as session:
                stage(session, hold.plan, page.observations, config_hash, origin="read", whole=full or cursor is None)
            done += len(page.observations)
            progress(done, None)
        if page.end is not None:
            return page.end
        if should_stop():
            raise Stopped
    return ReadEnd(End.PARTIAL, full=full, reason="The read stopped without saying that it was at its end.")


def look_up(hold: Hold, reader: DirectoryReader, config_hash: str, ids: Sequence[str], *, origin: str) -> set[str]:
    """These objects are staged as they are now; those that cannot be read are returned."""
    unreadable: set[str] = set()
    for start in range(0, len(ids), _LOOKED_UP_AT_ONCE):
        chunk = ids[start : start + _LOOKED_UP_AT_ONCE]
        found = find_now(reader, chunk)
        unreadable.update(id_ for id_ in chunk if id_ not in found)
        with hold.transaction() as session:
            stage(session, hold.plan, found.values(), config_hash, origin=origin, whole=True)
    return unreadable


def find_now(reader: DirectoryReader, ids: Sequence[str]) -> Mapping[str, Observation]:
    """The objects as they are now; a directory that cannot be reached tells nothing of any."""
    try:
        return reader.look_up(ids)
    except ReadFailed:
        return {}


def stage(
    session: Session,
    plan: str,
    observations: Iterable[Observation],
    config_hash: str,
    *,
    origin: str,
    whole: bool,
) -> None:
    """The observations are staged; of two of one object the later counts."""
    partial = [each.immutable_id for each in observations if each.member_changes]
    before = staging.staged(session, plan, partial) if partial else {}
    rows = []
    for observation in observations:
        payload = _payload(observation)
        if observation.immutable_id in before:
            payload["member_changes"] = _earlier_changes(before[observation.immutable_id]) | payload["member_changes"]
        text = _canonical(payload)
        rows.append(
            {
                "kind": observation.kind.value,
                "immutable_id": observation.immutable_id,
                "evidence": observation.evidence.value,
                "gone": int(observation.evidence is not Evidence.PRESENT),
                "origin": origin,
                "payload": f'{text.decode()[:-1]},"whole":{"true" if whole else "false"}}}',
                "hash": blake2b(text, digest_size=16, key=config_hash.encode()).hexdigest(),
                "read_at": to_text(observation.read_at),
            }
        )
    staging.stage(session, plan, rows)


def _canonical(payload: dict[str, Any]) -> bytes:
    """JSON text with sorted names; an object whose values no JSON can hold (half a character) is told as a problem."""
    try:
        return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        problem = "A value of this object is not text: it holds half a character, or is of a kind that JSON lacks."
        unusable = {**payload, "attributes": {}, "problem": problem}
        return orjson.dumps(unusable, option=orjson.OPT_SORT_KEYS)


def _earlier_changes(staged: Staged) -> dict[str, bool]:
    return dict(orjson.loads(staged.payload)["member_changes"])


def _payload(observation: Observation) -> dict[str, Any]:
    """What counts of an observation. (``whole``, which does not count, tells that what is left out has no value.)"""
    members = observation.members
    return {
        "evidence": observation.evidence.value,
        "attributes": observation.attributes,
        "enabled": observation.enabled,
        "anchors": observation.anchors,
        "manager": observation.manager,
        "manager_known": observation.manager_known,
        "members": None if members is None else sorted([each.immutable_id, each.kind] for each in members),
        "member_changes": dict(observation.member_changes),
        "created_at": to_text(observation.created_at) if observation.created_at else None,
        "problem": observation.problem,
    }


def parse_observation(staged: Staged) -> tuple[Observation, bool]:
    """The observation behind a staged row, and whether it is whole."""
    payload = orjson.loads(staged.payload)
    members = payload["members"]
    evidence = payload["evidence"] if staged.origin == "retry" else staged.evidence
    observation = Observation(
        kind=Kind(staged.kind),
        immutable_id=staged.immutable_id,
        evidence=Evidence(evidence),
        read_at=from_text(staged.read_at),
        attributes=payload["attributes"],
        enabled=payload["enabled"],
        anchors=payload["anchors"],
        manager=payload["manager"],
        manager_known=payload["manager_known"],
        members=None if members is None else [Member(id_, Kind(kind) if kind else None) for id_, kind in members],
        member_changes=payload["member_changes"],
        created_at=from_text(payload["created_at"]) if payload["created_at"] else None,
        problem=payload["problem"],
    )
    return observation, payload["whole"]
