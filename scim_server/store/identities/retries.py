"""Retries: objects that the next run looks at again although the source no longer tells them."""

from collections.abc import Collection

from sqlalchemy import Insert, bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.store.engine import Session
from scim_server.store.identities.staging import Staged
from scim_server.store.listed import among, argument
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import duplicates
from scim_server.store.tables.sync import retries

_NAMES = (
    "tenant_id", "source_id", "immutable_id", "kind", "reason", "attempts", "next_at", "payload", "hash", "read_at",
)  # fmt: skip
_KEY = ("tenant_id", "source_id", "immutable_id")
_THIS = (
    retries.c.tenant_id == bindparam("tenant"),
    retries.c.source_id == bindparam("source"),
    retries.c.immutable_id == bindparam("object"),
)


def _upsert(dialect: str) -> Insert:
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(retries)
    insert = insert.values({name: bindparam(name) for name in _NAMES})
    fresh = {name: insert.excluded[name] for name in _NAMES if name not in _KEY}
    return insert.on_conflict_do_update(index_elements=list(_KEY), set_=fresh)


_WRITE = Statement(_upsert)
_DROP = Statement(delete(retries).where(*_THIS))
_LOAD = Statement(select(retries.c.kind, retries.c.payload, retries.c.hash, retries.c.read_at).where(*_THIS))
_WAITING = Statement(
    lambda dialect: select(retries.c.immutable_id).where(
        retries.c.tenant_id == bindparam("tenant"),
        retries.c.source_id == bindparam("source"),
        among(retries.c.immutable_id, "ids", dialect),
    )
)
_RECORDED = Statement(
    lambda dialect: select(duplicates.c.immutable_id).where(
        duplicates.c.tenant_id == bindparam("tenant"),
        duplicates.c.source_id == bindparam("source"),
        or_(duplicates.c.status == "open", duplicates.c.status == "dismissed"),
        among(duplicates.c.immutable_id, "ids", dialect),
    )
)
_ATTEMPTS = Statement(select(retries.c.attempts).where(*_THIS, retries.c.reason == bindparam("of_reason")))


def write_retry(
    session: Session,
    source: int,
    immutable_id: str,
    *,
    kind: str,
    reason: str,
    attempts: int,
    next_at: str,
    payload: str,
    raw_hash: str,
    read_at: str,
) -> None:
    """The object waits for another try."""
    session.run(
        _WRITE,
        source_id=source,
        immutable_id=immutable_id,
        kind=kind,
        reason=reason,
        attempts=attempts,
        next_at=next_at,
        payload=payload,
        hash=raw_hash,
        read_at=read_at,
    )


def drop_retry(session: Session, source: int, immutable_id: str) -> None:
    """The object waits no more."""
    session.run(_DROP, source=source, object=immutable_id)


def load_retry(session: Session, source: int, immutable_id: str) -> Staged | None:
    """What is kept of the object, as if it were staged."""
    row = session.one(_LOAD, source=source, object=immutable_id)
    return Staged(row[0], immutable_id, "present", "retry", row[1], row[2], row[3]) if row else None


def waiting_among(session: Session, source: int, ids: Collection[str]) -> set[str]:
    """Which of these objects wait for another try, or are on record as duplicates."""
    listed = argument(session, ids)
    waiting = {row[0] for row in session.all(_WAITING, source=source, ids=listed)}
    return waiting | {row[0] for row in session.all(_RECORDED, source=source, ids=listed)}


def attempts_of(session: Session, source: int, immutable_id: str, reason: str) -> int:
    """How often the object was tried in vain for that reason."""
    row = session.one(_ATTEMPTS, source=source, object=immutable_id, of_reason=reason)
    return row[0] if row else 0
