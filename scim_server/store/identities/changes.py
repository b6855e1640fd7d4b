"""The change log, written in the same transaction as the change itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, insert

from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import changes

_NAMES = (
    "tenant_id", "resource_pk", "resource_id", "type", "action", "channel", "source_id", "actor", "plan_id",
    "request_id", "before", "after", "at",
)  # fmt: skip
_WRITE = Statement(insert(changes).values({name: bindparam(name) for name in _NAMES}))


def write_change(
    session: Session,
    *,
    pk: int,
    resource_id: str,
    resource_type: str,
    action: str,
    channel: str,
    source: int | None,
    actor: str,
    before: str,
    after: str,
    at: str,
    plan: str | None = None,
    request: str | None = None,
) -> None:
    """The audit trail has an entry; ``before`` and ``after`` are JSON text of the attributes that differ."""
    session.run(
        _WRITE,
        resource_pk=pk,
        resource_id=resource_id,
        type=resource_type,
        action=action,
        channel=channel,
        source_id=source,
        actor=actor,
        plan_id=plan,
        request_id=request,
        before=before,
        after=after,
        at=at,
    )


def write_changes(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """The audit trail has these entries, whose keys are the columns of the table."""
    session.many(_WRITE, entries)
