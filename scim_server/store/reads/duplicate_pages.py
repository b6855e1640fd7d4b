"""Pages of the register of duplicates: filtered by status, kind and source, the newest first."""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, tuple_

from scim_server.store.engine import Session
from scim_server.store.reads.duplicates import CASES, DuplicateCase
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import duplicates


class CaseQuery(NamedTuple):
    """What a page shows; an empty ``kind`` or ``source`` (its name) means all."""

    status: str = "open"
    kind: str = ""
    source: str = ""


class CasePlace(NamedTuple):
    """Where a page ended."""

    last_at: str
    id: str


_AFTER_ALL = CasePlace("~", "")  # sorts behind every time
_KINDS = Statement(select(duplicates.c.kind).where(duplicates.c.tenant_id == bindparam("tenant")).distinct())


@lru_cache(maxsize=8)
def _page(with_kind: bool, with_source: bool) -> Statement:
    place: Any = tuple_(bindparam("before_at"), bindparam("before_id"))
    statement = CASES.where(
        duplicates.c.status == bindparam("of_status"), tuple_(duplicates.c.last_at, duplicates.c.id) < place
    )
    if with_kind:
        statement = statement.where(duplicates.c.kind == bindparam("of_kind"))
    if with_source:
        statement = statement.where(sources.c.name == bindparam("of_source"))
    newest_first = (duplicates.c.last_at.desc(), duplicates.c.id.desc())
    return Statement(statement.order_by(*newest_first).limit(bindparam("limit")))


def list_cases_of(session: Session, query: CaseQuery, limit: int, after: CasePlace = _AFTER_ALL) -> list[DuplicateCase]:
    """Up to ``limit`` cases behind ``after``."""
    found = session.all(
        _page(bool(query.kind), bool(query.source)),
        of_status=query.status,
        of_kind=query.kind,
        of_source=query.source,
        before_at=after.last_at,
        before_id=after.id,
        limit=limit,
    )
    return [DuplicateCase._make(row) for row in found]


def kinds_of_cases(session: Session) -> list[str]:
    """The kinds of duplicates that were ever recorded."""
    return sorted(row[0] for row in session.all(_KINDS))
