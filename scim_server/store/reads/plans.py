"""Reading plans and what they do to whom: single plans, pages of items, and the history of a tenant."""

from typing import NamedTuple

from sqlalchemy import bindparam, or_, select, tuple_

from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.sync import plan_items, plans


class PlanCase(NamedTuple):
    """One plan, and the run it became by being applied; ``counts`` and ``blocked`` are JSON text, times are texts."""

    id: str
    source_id: int
    source: str
    mode: str
    status: str
    actor: str
    fingerprint: str
    is_full: bool
    is_complete: bool
    counts: str
    blocked: str
    reason: str
    applied_by: str | None
    approved_by: str | None
    created_at: str
    expires_at: str | None
    finished_at: str | None


class ItemCase(NamedTuple):
    """What a plan does to one object and why; documents, reasons, conflicts, deferred and trace are JSON text."""

    seq: int
    component: int
    op: str
    word: str
    kind: str
    immutable_id: str
    resource_id: str | None
    display: str
    before: str | None
    after: str | None
    conflicts: str
    reasons: str
    deferred: str
    trace: str
    status: str
    error: str | None


_PLANS = (
    select(
        plans.c.id,
        plans.c.source_id,
        sources.c.name,
        plans.c.mode,
        plans.c.status,
        plans.c.actor,
        plans.c.fingerprint,
        plans.c.is_full,
        plans.c.is_complete,
        plans.c.counts,
        plans.c.blocked,
        plans.c.reason,
        plans.c.applied_by,
        plans.c.approved_by,
        plans.c.created_at,
        plans.c.expires_at,
        plans.c.finished_at,
    )
    .join(sources, sources.c.id == plans.c.source_id)
    .where(plans.c.tenant_id == bindparam("tenant"))
)
_ONE = Statement(_PLANS.where(plans.c.id == bindparam("plan")))
_HISTORY = Statement(
    _PLANS.where(
        or_(plans.c.source_id == bindparam("source"), bindparam("source") == 0),
        tuple_(plans.c.created_at, plans.c.id) < tuple_(bindparam("before_at"), bindparam("before_id")),
    )
    .order_by(plans.c.created_at.desc(), plans.c.id.desc())
    .limit(bindparam("limit"))
)
_ITEMS = Statement(
    select(*(plan_items.c[name] for name in ItemCase._fields))
    .where(
        plan_items.c.tenant_id == bindparam("tenant"),
        plan_items.c.plan_id == bindparam("plan"),
        plan_items.c.seq > bindparam("after_seq"),
    )
    .order_by(plan_items.c.seq)
    .limit(bindparam("limit"))
)
_EVERY_SOURCE = 0
_AFTER_ALL = ("~", "")  # sorts behind every time


def find_plan(session: Session, plan_id: str) -> PlanCase | None:
    """The plan of that id."""
    row = session.one(_ONE, plan=plan_id)
    return _plan(row) if row else None


def list_plans(
    session: Session, limit: int, source: int | None = None, after: PlanCase | None = None
) -> list[PlanCase]:
    """Up to ``limit`` plans of the source (or of all), the newest first, those behind ``after`` where it is given."""
    before_at, before_id = (after.created_at, after.id) if after else _AFTER_ALL
    rows = session.all(_HISTORY, source=source or _EVERY_SOURCE, before_at=before_at, before_id=before_id, limit=limit)
    return [_plan(row) for row in rows]


def list_items(session: Session, plan_id: str, limit: int, after_seq: int = 0) -> list[ItemCase]:
    """Up to ``limit`` items of the plan behind that number, in the order of the plan."""
    rows = session.all(_ITEMS, plan=plan_id, after_seq=after_seq, limit=limit)
    return [ItemCase._make(row) for row in rows]


def _plan(row: tuple[object, ...]) -> PlanCase:
    plan = PlanCase._make(row)
    return plan._replace(is_full=bool(plan.is_full), is_complete=bool(plan.is_complete))
