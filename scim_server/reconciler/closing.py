"""Closing a run: counts, status and the cursor, in one transaction."""

import orjson

from scim_server.domain.plan import PlanStatus
from scim_server.reconciler.holding import Hold
from scim_server.reconciler.items import dump
from scim_server.reconciler.proposals import Origin
from scim_server.reconciler.tally import tally
from scim_server.store.identities import plan_items, plans
from scim_server.store.identities.leases import release_lease


def close(hold: Hold, source: int, origin: Origin) -> None:
    """The plan is applied and the source's cursor is that of its read.

    Whatever was not carried out waits among the retries, so nothing that the cursor passes is lost. A cursor that
    another run has moved meanwhile stays.
    """
    with hold.transaction() as session:
        plan = plans.load_plan(session, hold.plan)
        if plan is None:
            return
        base = orjson.loads(plan.counts).get("base", {})
        counts = tally(session, hold.plan, base)
        drifted = any(each.stale for each in counts.values())
        *_, removed = plan_items.count_facts(session, hold.plan)
        plans.finish_plan(
            session,
            hold.plan,
            status=PlanStatus.APPLIED_WITH_DRIFT if drifted else PlanStatus.APPLIED,
            counts=dump({**{kind: each.as_dict() for kind, each in counts.items()}, "base": base}),
            removals=removed,
            reason=plan.reason,
            at=origin.at,
        )
        if plan.cursor_next is not None:
            plans.move_cursor(session, source, before=plan.cursor_before, after=plan.cursor_next, scope=plan.scope)
        # Here and not afterwards: a process that dies in between would keep the source from its next run.
        release_lease(session, source, hold.token)
