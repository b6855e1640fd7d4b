"""Reading the change log: what happened to one user or group, the newest first."""

from typing import NamedTuple

from sqlalchemy import bindparam, select

from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import changes


class Change(NamedTuple):
    """One change; ``before`` and ``after`` are JSON text of the attributes that differ, ``at`` is a text."""

    seq: int
    at: str
    action: str
    channel: str
    source: str | None
    actor: str
    plan_id: str | None
    before: str
    after: str


_CHANGES = Statement(
    select(
        changes.c.seq,
        changes.c.at,
        changes.c.action,
        changes.c.channel,
        sources.c.name,
        changes.c.actor,
        changes.c.plan_id,
        changes.c.before,
        changes.c.after,
    )
    .outerjoin(sources, sources.c.id == changes.c.source_id)
    .where(
        changes.c.tenant_id == bindparam("tenant"),
        changes.c.resource_pk == bindparam("pk"),
        changes.c.seq < bindparam("before_seq"),
    )
    .order_by(changes.c.seq.desc())
    .limit(bindparam("limit"))
)
_AFTER_ALL = 2**62


def list_changes(session: Session, pk: int, limit: int, before: int = _AFTER_ALL) -> list[Change]:
    """Up to ``limit`` changes of the resource older than the one of that number."""
    return [Change._make(row) for row in session.all(_CHANGES, pk=pk, before_seq=before, limit=limit)]
