"""Objects that are withheld: recorded with their witnesses, and kept for the next runs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from scim_server.domain.keys import Claim
from scim_server.domain.times import from_text, to_text
from scim_server.reconciler.proposals import Origin
from scim_server.store.engine import Session
from scim_server.store.identities import claims, duplicates, plan_items, retries
from scim_server.store.identities.duplicates import Case
from scim_server.store.identities.members import numbers_of
from scim_server.store.identities.plan_items import StoredItem

_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=6)
_WEEK = timedelta(days=7)


def carry_silent(session: Session, source: int, plan: str, item: StoredItem, origin: Origin) -> None:
    """What the item says of an object that changes nothing is on record, and the object waits as it should."""
    match item.op:
        case "duplicate" | "dismissed":
            if not record(session, source, item, origin):
                plan_items.set_blocked(session, plan, item.seq)
        case "blocked_by":
            keep(session, source, item, "blocked", origin)
        case "error":
            keep(session, source, item, "error", origin)
        case _:
            duplicates.clear_object(session, source, item.immutable_id, origin.at, origin.plan)
            retries.drop_retry(session, source, item.immutable_id)


def record(session: Session, source: int, item: StoredItem, origin: Origin) -> bool:
    """Every conflict of the item is an open duplicate that names who holds the value now; the object is kept.

    False, and nothing is recorded, where nobody holds a value: without a witness there is no duplicate.
    """
    cases = [_case(session, source, item, conflict, origin) for conflict in orjson.loads(item.conflicts)]
    if any(case is None for case in cases):
        keep(session, source, item, "blocked", origin)
        return False
    for case in cases:
        if case is not None:
            duplicates.write_case(session, case)
    duplicates.clear_others(session, source, item.immutable_id, origin.at, str(origin.plan))
    keep(session, source, item, "duplicate", origin)
    return True


def _case(session: Session, source: int, item: StoredItem, conflict: Mapping[str, Any], origin: Origin) -> Case | None:
    claim = Claim(conflict["ns"], conflict["key"])
    witness = str(conflict["witness"] or "")
    holder = claims.witness(session, claim)
    if holder is None:
        holder = numbers_of(session, [witness]).get(witness) if conflict["kind"] == "disputed" else None
        waits_for_peer = conflict["kind"] == "contested" and conflict.get("peer_waits")
        if holder is None and not waits_for_peer:
            return None
    own = numbers_of(session, [item.resource_id]).get(item.resource_id) if item.resource_id else None
    payload = orjson.loads(item.told).get("payload", {})
    return Case(
        source=source,
        immutable_id=item.immutable_id,
        resource_type=item.kind,
        pk=own,
        claim=claim,
        raw=conflict["raw"],
        kind=conflict["kind"],
        holder=holder,
        channel=origin.channel,
        mapped=orjson.dumps(payload.get("attributes", {})).decode(),
        at=origin.at,
        run=origin.plan,
        holder_object=conflict.get("witness_object"),
    )


def keep(session: Session, source: int, item: StoredItem, reason: str, origin: Origin) -> None:
    """The object is looked at again by a later run, although its source does not tell it again."""
    told = orjson.loads(item.told)
    if "payload" not in told:
        return
    now = from_text(origin.at)
    attempts = retries.attempts_of(session, source, item.immutable_id, reason) + 1
    payload = {**told["payload"], "whole": told["whole"]}
    retries.write_retry(
        session,
        source,
        item.immutable_id,
        kind=item.kind,
        reason=reason,
        attempts=attempts,
        next_at=to_text(next_try(attempts, now) if reason == "error" else now),
        payload=orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode(),
        raw_hash=told["hash"],
        read_at=told["read_at"],
    )


def next_try(attempts: int, now: datetime) -> datetime:
    """One minute after the first failure, then four times as long each time up to six hours, then weekly."""
    delay: timedelta = _FIRST_DELAY * 4 ** min(attempts - 1, 10)
    if delay <= _LONGEST_DELAY:
        return now + delay
    return now + (_LONGEST_DELAY if delay < 4 * _LONGEST_DELAY else _WEEK)
