"""Pages of what a plan does, by what it does, for people who look through it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, bindparam, func, literal_column, or_, select

from scim_server.domain.keys import fold
from scim_server.store.engine import Session
from scim_server.store.listed import among, argument
from scim_server.store.reads.plans import ItemCase
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import links
from scim_server.store.tables.sync import plan_items

_THIS = (plan_items.c.tenant_id == bindparam("tenant"), plan_items.c.plan_id == bindparam("plan"))
_COLUMNS = tuple(plan_items.c[name] for name in ItemCase._fields)


def _page(dialect: str) -> Select[Any]:
    return (
        select(*_COLUMNS)
        .where(
            *_THIS,
            plan_items.c.seq > bindparam("after_seq"),
            among(plan_items.c.word, "words", dialect),
            or_(
                bindparam("part") == literal_column("''"),
                func.lower(plan_items.c.display).contains(bindparam("part"), autoescape=False),
            ),
        )
        .order_by(plan_items.c.seq)
        .limit(bindparam("limit"))
    )


_PAGE = Statement(_page)
_COMPONENTS = Statement(select(plan_items.c.component).where(*_THIS).distinct())
_CALLED = Statement(
    lambda dialect: select(links.c.resource_pk, links.c.immutable_id).where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.source_id == bindparam("source"),
        links.c.state == literal_column("'present'"),
        among(links.c.resource_pk, "keys", dialect, numbers=True),
    )
)


def list_items_of(
    session: Session, plan_id: str, words: Collection[str], limit: int, *, part: str = "", after_seq: int = 0
) -> list[ItemCase]:
    """Up to ``limit`` items behind that number that count as one of ``words`` and show ``part`` in their name."""
    text = fold(part).replace("%", "").replace("_", "")
    found = session.all(
        _PAGE, plan=plan_id, words=argument(session, words), part=text, after_seq=after_seq, limit=limit
    )
    return [ItemCase._make(row) for row in found]


def components_of(session: Session, plan_id: str) -> set[int]:
    """The parts of the plan that can be chosen one by one."""
    return {row[0] for row in session.all(_COMPONENTS, plan=plan_id)}


def objects_of(session: Session, source: int, keys: Collection[int]) -> dict[int, str]:
    """What the source calls the resources with these numbers."""
    return dict(session.all(_CALLED, source=source, keys=argument(session, keys)))
