"""The outcome of a preview: fingerprints over the stored items, counts, and the breakers that hold the plan."""

from collections.abc import Sequence

import orjson

from scim_server.domain.breakers import Tripped
from scim_server.domain.plan import Fingerprints, PlanStatus
from scim_server.domain.times import to_text
from scim_server.reconciler.holding import Hold
from scim_server.reconciler.items import dump
from scim_server.reconciler.runs import PlanSummary
from scim_server.reconciler.sources import PulledSource
from scim_server.reconciler.tally import Base, counts_of, tally
from scim_server.store.engine import Session
from scim_server.store.identities import plan_items, plans, staging
from scim_server.store.identities.leases import release_lease

_BATCH = 500


def store_outcome(hold: Hold, source: PulledSource, base: Base, tripped: Sequence[Tripped]) -> PlanStatus:
    """The plan is ready or blocked, under its fingerprints; nothing is staged for it any more."""
    prints = _fingerprints(hold)
    status = PlanStatus.BLOCKED if tripped else PlanStatus.READY
    with hold.transaction() as session:
        counts = {kind: each.as_dict() for kind, each in tally(session, hold.plan, base).items()}
        plans.finish_computing(
            session,
            hold.plan,
            status=status.value,
            content=prints.content(),
            fingerprint=prints.plan(config_hash=source.config_hash),
            counts=dump({**counts, "base": base}),
            blocked=dump([[each.name, each.text, each.number] for each in tripped]),
            expires=to_text(hold.clock.now() + source.policy.plan_lifetime),
        )
        staging.clear(session, hold.plan)
        release_lease(session, hold.source, hold.token)  # here: a death after it would keep the source from other runs
    return status


def _fingerprints(hold: Hold) -> Fingerprints:
    """Over the items as they are stored, whatever order they came in."""
    prints, after = Fingerprints(), 0
    while True:
        with hold.database.reading(hold.tenant) as session:
            items = plan_items.items_after(session, hold.plan, after, _BATCH)
        if not items:
            return prints
        after = items[-1].seq
        for item in items:
            told = orjson.loads(item.told).get("references", {})
            content = [item.op, orjson.loads(item.after or "null"), orjson.loads(item.reasons), told]
            identity = f"{item.kind}|{item.source_id}|{item.immutable_id}|{item.resource_id}"
            text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()
            prints.add(identity, text, item.base_version)


def summary_of(session: Session, plan_id: str) -> PlanSummary:
    """The summary of a stored plan."""
    plan = plans.load_plan(session, plan_id)
    assert plan is not None  # noqa: S101 - it was just written by this run
    counts = orjson.loads(plan.counts)
    return PlanSummary(
        id=plan.id,
        source_id=plan.source_id,
        status=PlanStatus(plan.status),
        fingerprint=plan.fingerprint,
        content_fingerprint=plan.content_fingerprint,
        counts=counts_of(counts.get("User", {})),
        group_counts=counts_of(counts.get("Group", {})),
        blocked=tuple(Tripped(*each) for each in orjson.loads(plan.blocked)),
        reason=plan.reason,
        complete=bool(plan.is_complete),
    )
