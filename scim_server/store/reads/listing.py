"""Listing resources: filtered, sorted, by index or by cursor (RFC 7644 section 3.4.2, RFC 9865)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy import literal_column as constant

from scim_server.scim.errors import InvalidCursor
from scim_server.scim.filters.tokens import tokens
from scim_server.scim.filters.tree import Literal
from scim_server.scim.registry import ResourceType
from scim_server.store.engine import Row, Session
from scim_server.store.filter_operators import bound
from scim_server.store.reads.cursors import Cursors, Position
from scim_server.store.reads.resources import StoredResource
from scim_server.store.reads.segments import Listed, Segment, Shape, listed
from scim_server.store.statements import Statement
from scim_server.store.tables.identities import counts, links, resources

_WIDTH = len(StoredResource._fields)


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks for.

    ``viewer`` is its source, which does not see what it deleted itself. ``start_index`` counts from 1; with a
    ``cursor`` (empty for the first page) it does not count. ``count`` is at most what the caller allows on one page.
    """

    resource_types: tuple[ResourceType, ...]
    viewer: int
    filter: str | None = None
    sort_by: str | None = None
    descending: bool = False
    start_index: int = 1
    count: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. ``total`` is None on later pages of a filtered listing by cursor: counting would cost a full search."""

    rows: list[StoredResource]
    total: int | None
    next_cursor: str | None = None
    previous_cursor: str | None = None


def find(session: Session, query: Query, cursors: Cursors | None = None) -> Listing:
    """The page that the query asks for; past the end it is empty.

    Unsorted resources come by type and age, sorted ones by the first 128 characters of the comparison form, then by
    age; descending order is the exact reverse. Raises InvalidFilter, InvalidValue (sorting), InvalidCursor and
    ExpiredCursor.
    """
    found = tokens(query.filter) if query.filter is not None else []
    plan = listed(Shape(session.dialect.name, query.resource_types, found, query.sort_by, query.descending))
    literals = [token.value for token in found if type(token.value) is Literal]
    values = bound(plan.parameters, literals) if literals else {}
    values["viewer"] = query.viewer
    if query.cursor is not None:
        return _by_cursor(session, query, plan, values, cursors)
    offset = query.start_index - 1
    rows = _from_offset(session, plan.segments, values, query.count + 1, offset) if query.count else []
    is_end = bool(query.count) and len(rows) <= query.count and (bool(rows) or offset == 0)
    total = offset + len(rows) if is_end else _total(session, query, plan, values)
    return Listing([StoredResource._make(row[:_WIDTH]) for _, row in rows[: query.count]], total)


_Placed = tuple[int, Row]
"""The segment of a row, and the row."""


def _by_cursor(
    session: Session, query: Query, plan: Listed, values: dict[str, Any], cursors: Cursors | None
) -> Listing:
    if cursors is None:
        raise InvalidCursor("Paging by cursor is not offered here.")
    mark = _fingerprint(session, query)
    position = cursors.open(query.cursor, mark) if query.cursor else None
    if not query.count:
        return Listing([], _total(session, query, plan, values))
    rows = _from_position(session, plan.segments, values, query.count + 1, position)
    page = rows[: query.count]
    next_cursor = None
    if len(rows) > query.count:
        segment, last = page[-1]
        next_cursor = cursors.seal(Position(segment, last[_WIDTH], last[0]), mark)
    total: int | None = len(rows)
    if position or next_cursor:
        total = None if position and query.filter is not None else _total(session, query, plan, values)
    return Listing([StoredResource._make(row[:_WIDTH]) for _, row in page], total, next_cursor)


def _from_offset(
    session: Session, segments: Sequence[Segment], values: dict[str, Any], limit: int, offset: int
) -> list[_Placed]:
    rows: list[_Placed] = []
    for number, segment in enumerate(segments):
        more = session.all(segment.page, limit=limit - len(rows), offset=offset, **values)
        rows.extend((number, row) for row in more)
        if len(rows) == limit or number == len(segments) - 1:
            break
        if more:
            offset = 0
        elif offset:
            offset -= _number(session.one(segment.count, **values))
    return rows


def _from_position(
    session: Session, segments: Sequence[Segment], values: dict[str, Any], limit: int, position: Position | None
) -> list[_Placed]:
    rows: list[_Placed] = []
    first = position.segment if position else 0
    for number, segment in enumerate(segments[first:], first):
        if position and number == first:
            # The key fills a parameter only in segments that are sorted by one.
            more = session.all(segment.after, key=position.key, pk=position.pk, limit=limit - len(rows), **values)
        else:
            more = session.all(segment.page, limit=limit - len(rows), offset=0, **values)
        rows.extend((number, row) for row in more)
        if len(rows) == limit:
            break
    return rows


def _total(session: Session, query: Query, plan: Listed, values: dict[str, Any]) -> int:
    """All that the query finds; without a filter from the running counts."""
    if query.filter is not None:
        return _number(session.one(plan.count, **values))
    return sum(_number(session.one(_LIVE, kind=kind.name, viewer=query.viewer)) for kind in query.resource_types)


_HIDDEN = (
    select(func.count(links.c.resource_pk.distinct()))
    .join(resources, resources.c.pk == links.c.resource_pk)
    .where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.source_id == bindparam("viewer"),
        links.c.state == constant("'deleted'"),
        resources.c.type == bindparam("kind"),
        resources.c.state == constant("'live'"),
    )
)
_LIVE = Statement(
    select(func.coalesce(func.max(counts.c.live), 0) - _HIDDEN.scalar_subquery()).where(
        counts.c.tenant_id == bindparam("tenant"), counts.c.type == bindparam("kind")
    )
)


def _number(row: Row | None) -> int:
    return int(row[0]) if row else 0


def _fingerprint(session: Session, query: Query) -> str:
    """What makes this query another than any other, its page left aside."""
    types = [resource_type.name for resource_type in query.resource_types]
    return repr((session.tenant, types, query.filter, query.sort_by, query.descending, query.viewer))
