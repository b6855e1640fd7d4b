"""Leases: one run at a time for a source, and a token that tells a run from its successor."""

from sqlalchemy import bindparam, select, update

from scim_server.domain.errors import LeaseLost, SourceBusy
from scim_server.store.engine import Session
from scim_server.store.statements import Statement, insert_unless_there
from scim_server.store.tables.sync import leases

_THIS = (leases.c.tenant_id == bindparam("tenant"), leases.c.source_id == bindparam("source"))
_READ = Statement(select(leases.c.plan_id, leases.c.token, leases.c.heartbeat_at).where(*_THIS).with_for_update())
_FIRST = insert_unless_there(leases)
_TAKE = Statement(
    update(leases)
    .where(*_THIS)
    .values(plan_id=bindparam("plan"), token=leases.c.token + 1, heartbeat_at=bindparam("now"))
)
_RENEW = Statement(
    update(leases).where(*_THIS, leases.c.token == bindparam("of_token")).values(heartbeat_at=bindparam("now"))
)


def take_lease(session: Session, source: int, plan: str, *, now: str, dead_since: str) -> int:
    """The plan holds the source; its token. A second run of the same plan replaces the first, which is then stopped.

    Raises SourceBusy where another plan holds it and gave a sign of life after ``dead_since``.
    """
    session.run(_FIRST, source_id=source, plan_id="", token=0, heartbeat_at="")
    row = session.one(_READ, source=source)
    if row is not None and row[0] not in ("", plan) and row[2] > dead_since:
        raise SourceBusy("another run of this source is under way")
    session.run(_TAKE, source=source, plan=plan, now=now)
    return int(row[1] if row else 0) + 1


def renew_lease(session: Session, source: int, token: int, now: str) -> None:
    """The run still holds the source; raises LeaseLost where another took over."""
    if session.run(_RENEW, source=source, of_token=token, now=now) != 1:
        raise LeaseLost("another worker has taken over this source")


def release_lease(session: Session, source: int, token: int) -> None:
    """The source is free, if the run still held it."""
    session.run(_RELEASE, source=source, of_token=token)


_RELEASE = Statement(
    update(leases).where(*_THIS, leases.c.token == bindparam("of_token")).values(plan_id="", heartbeat_at="")
)
