"""The items of plans: what happens to whom, worked off pack by pack."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, null, select, update

from scim_server.store.engine import Session
from scim_server.store.listed import among, argument
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import resources
from scim_server.store.tables.sync import plan_items


class StoredItem(NamedTuple):
    """An item as it lies; all but the plain columns are JSON texts."""

    seq: int
    component: int
    phase: int
    op: str
    word: str
    kind: str
    source_id: int
    immutable_id: str
    resource_id: str | None
    display: str
    base_version: int | None
    before: str | None
    after: str | None
    links: str
    claims_drop: str
    claims_take: str
    conflicts: str
    told: str
    reasons: str
    deferred: str
    removal: bool
    renames: bool
    proof: str
    trace: str
    status: str
    error: str | None


WRITING_USERS, WRITING_GROUPS, SILENT = 1, 2, 3
"""The phases of a plan: users first, then groups with their members, then what is only recorded."""

_ITEM_COLUMNS = tuple(plan_items.c[name] for name in StoredItem._fields)
_ITEMS = (plan_items.c.tenant_id == bindparam("tenant"), plan_items.c.plan_id == bindparam("plan"))

_DELETE_ITEMS = Statement(delete(plan_items).where(*_ITEMS))
_INSERT_ITEM = Statement(
    insert(plan_items).values(
        {name: bindparam(name) for name in ("tenant_id", "plan_id", *StoredItem._fields) if name != "error"}
    )
)
_WITHHOLD = Statement(
    update(plan_items)
    .where(*_ITEMS, plan_items.c.seq == bindparam("of_seq"))
    .values(
        op=bindparam("new_op"),
        word=bindparam("new_word"),
        phase=SILENT,
        component=bindparam("of_seq"),
        after=null(),
        removal=False,
        renames=False,
        conflicts=bindparam("found"),
        reasons=bindparam("why"),
    )
)
_TRIM = Statement(
    update(plan_items)
    .where(*_ITEMS, plan_items.c.seq == bindparam("of_seq"))
    .values(
        op=bindparam("new_op"),
        word=bindparam("new_word"),
        after=bindparam("document"),
        links=bindparam("link"),
        claims_take=bindparam("taken"),
        conflicts=bindparam("found"),
        reasons=bindparam("why"),
    )
)
_SET_COMPONENT = Statement(
    update(plan_items).where(*_ITEMS, plan_items.c.seq == bindparam("of_seq")).values(component=bindparam("number"))
)
_SET_ITEM_STATUS = Statement(
    update(plan_items)
    .where(*_ITEMS, plan_items.c.seq == bindparam("of_seq"))
    .values(status=bindparam("new_status"), error=bindparam("text"))
)
_SET_WORD = Statement(
    update(plan_items)
    .where(*_ITEMS, plan_items.c.seq == bindparam("of_seq"))
    .values(op=bindparam("new_word"), word=bindparam("new_word"))
)
_BY_SEQ = Statement(
    lambda dialect: select(*_ITEM_COLUMNS).where(*_ITEMS, among(plan_items.c.seq, "numbers", dialect, numbers=True))
)
_PENDING = Statement(
    select(*_ITEM_COLUMNS)
    .where(*_ITEMS, plan_items.c.status == "pending", plan_items.c.phase == bindparam("of_phase"))
    .order_by(plan_items.c.component, plan_items.c.seq)
    .limit(bindparam("limit"))
)
_OF_COMPONENT = Statement(
    select(*_ITEM_COLUMNS)
    .where(*_ITEMS, plan_items.c.component == bindparam("number"), plan_items.c.status == "pending")
    .order_by(plan_items.c.seq)
)
_UNSELECTED = Statement(
    lambda dialect: (
        select(*_ITEM_COLUMNS)
        .where(*_ITEMS, plan_items.c.status == "pending", plan_items.c.phase != SILENT)
        .where(~among(plan_items.c.component, "numbers", dialect, numbers=True))
        .order_by(plan_items.c.seq)
        .limit(bindparam("limit"))
    )
)
_AFTER = Statement(
    select(*_ITEM_COLUMNS)
    .where(*_ITEMS, plan_items.c.seq > bindparam("after"))
    .order_by(plan_items.c.seq)
    .limit(bindparam("limit"))
)
_COUNT_WORDS = Statement(
    select(plan_items.c.kind, plan_items.c.word, plan_items.c.status, func.count())
    .where(*_ITEMS)
    .group_by(plan_items.c.kind, plan_items.c.word, plan_items.c.status)
)
_COUNT_DEFERRED = Statement(
    select(plan_items.c.kind, func.count())
    .where(*_ITEMS, plan_items.c.deferred != "[]", plan_items.c.status != "skipped")
    .group_by(plan_items.c.kind)
)
_COUNT_FACTS = Statement(
    select(
        func.count().filter(plan_items.c.removal),
        func.count().filter(plan_items.c.renames),
        func.count().filter(plan_items.c.removal, plan_items.c.status == "done"),
    ).where(*_ITEMS, plan_items.c.kind == "User")
)
_COUNT_PENDING = Statement(select(func.count()).where(*_ITEMS, plan_items.c.status == "pending"))
_COUNT_PROTECTED = Statement(
    select(func.count())
    .select_from(plan_items)
    .join(
        resources,
        (resources.c.tenant_id == plan_items.c.tenant_id)
        & (resources.c.id == plan_items.c.resource_id)
        & resources.c.privileged,
    )
    .where(*_ITEMS, plan_items.c.removal)
)


def insert_items(session: Session, plan: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The plan has these items; each row has every field of a StoredItem but the error."""
    session.many(_INSERT_ITEM, [{"plan_id": plan, **row} for row in rows])


def withhold_items(session: Session, plan: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """These items change nothing; each row has of_seq, new_op, new_word, found and why."""
    session.many(_WITHHOLD, [{"plan": plan, **row} for row in rows])


def trim_items(session: Session, plan: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """These items go through without a value that another holds."""
    session.many(_TRIM, [{"plan": plan, **row} for row in rows])


def set_components(session: Session, plan: str, components: Mapping[int, int]) -> None:
    """Items (by number) belong to these components."""
    session.many(
        _SET_COMPONENT, [{"plan": plan, "of_seq": seq, "number": number} for seq, number in components.items()]
    )


def set_item_status(session: Session, plan: str, seq: int, status: str, error: str | None = None) -> None:
    """The item has that status."""
    session.run(_SET_ITEM_STATUS, plan=plan, of_seq=seq, new_status=status, text=error)


def set_blocked(session: Session, plan: str, seq: int) -> None:
    """The item waits for another: what it wants was not free when its turn came, nor proven to be taken."""
    session.run(_SET_WORD, plan=plan, of_seq=seq, new_word="blocked_by")


def set_done(session: Session, plan: str, seqs: Iterable[int]) -> None:
    """These items are done."""
    session.many(_SET_ITEM_STATUS, [{"plan": plan, "of_seq": seq, "new_status": "done", "text": None} for seq in seqs])


def items_by_seq(session: Session, plan: str, seqs: Collection[int]) -> list[StoredItem]:
    """The items with these numbers."""
    return [StoredItem._make(row) for row in session.all(_BY_SEQ, plan=plan, numbers=argument(session, seqs))]


def pending_items(session: Session, plan: str, phase: int, limit: int) -> list[StoredItem]:
    """The next pending items of the phase, the last component whole."""
    rows = session.all(_PENDING, plan=plan, of_phase=phase, limit=limit)
    items = [StoredItem._make(row) for row in rows]
    if len(items) < limit:
        return items
    last = items[-1].component
    whole = [StoredItem._make(row) for row in session.all(_OF_COMPONENT, plan=plan, number=last)]
    return [item for item in items if item.component != last] + [item for item in whole if item.phase == phase]


def unselected_items(session: Session, plan: str, components: Collection[int], limit: int) -> list[StoredItem]:
    """Pending items that would change something and belong to none of these components."""
    rows = session.all(_UNSELECTED, plan=plan, numbers=argument(session, components), limit=limit)
    return [StoredItem._make(row) for row in rows]


def items_after(session: Session, plan: str, after: int, limit: int) -> list[StoredItem]:
    """Up to ``limit`` items behind the one with that number."""
    return [StoredItem._make(row) for row in session.all(_AFTER, plan=plan, after=after, limit=limit)]


def count_words(session: Session, plan: str) -> list[tuple[str, str, str, int]]:
    """How many items there are of each kind, word and status."""
    return [(kind, word, status, number) for kind, word, status, number in session.all(_COUNT_WORDS, plan=plan)]


def count_deferred(session: Session, plan: str) -> dict[str, int]:
    """How many items of each kind leave a pushed value that the pull would change."""
    return dict(session.all(_COUNT_DEFERRED, plan=plan))


def count_facts(session: Session, plan: str) -> tuple[int, int, int]:
    """How many users the plan removes, renames, and has removed."""
    row = session.one(_COUNT_FACTS, plan=plan)
    return (row[0], row[1], row[2]) if row else (0, 0, 0)


def count_pending(session: Session, plan: str) -> int:
    """How many items wait."""
    row = session.one(_COUNT_PENDING, plan=plan)
    return row[0] if row else 0


def count_protected_removals(session: Session, plan: str) -> int:
    """How many users whom nobody may remove the plan removes."""
    row = session.one(_COUNT_PROTECTED, plan=plan)
    return row[0] if row else 0


def forget_items(session: Session, plan: str) -> None:
    """The plan has no items."""
    session.run(_DELETE_ITEMS, plan=plan)
