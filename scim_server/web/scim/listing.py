"""Queries over resources, from the query string or from a search request (RFC 7644 sections 3.4.2 and 3.4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from scim_server.scim.errors import InvalidValue
from scim_server.scim.messages import SearchRequest
from scim_server.store.reads.listing import Query, find
from scim_server.web.scim.exchange import LARGEST, Exchange, whole_number
from scim_server.web.scim.rendering import Renderer
from scim_server.web.scim.responses import list_response


@dataclass(frozen=True, slots=True)
class Search:
    """What a client asks for; the same for GET and for POST /.search."""

    types: Sequence[str]
    filter: str | None = None
    sort_by: str | None = None
    sort_order: str | None = None
    start_index: int | None = None
    count: int | None = None
    cursor: str | None = None
    attributes: Any = None
    excluded: Any = None


def query_of_arguments(found: Exchange, types: Sequence[str]) -> Search:
    """The query string as a search; raises InvalidValue for paging parameters that are no integers."""
    arguments = found.arguments
    return Search(
        types=types,
        filter=arguments.get("filter"),
        sort_by=arguments.get("sortBy"),
        sort_order=arguments.get("sortOrder"),
        start_index=whole_number("startIndex", arguments.get("startIndex")),
        count=whole_number("count", arguments.get("count")),
        cursor=arguments.get("cursor"),
        attributes=arguments.get("attributes"),
        excluded=arguments.get("excludedAttributes"),
    )


def query_of_message(message: SearchRequest, types: Sequence[str]) -> Search:
    """A SearchRequest message as a search."""
    return Search(
        types=types,
        filter=message.filter,
        sort_by=message.sort_by,
        sort_order=message.sort_order,
        start_index=message.start_index,
        count=message.count,
        cursor=message.cursor,
        attributes=message.attributes,
        excluded=message.excluded_attributes,
    )


def answer_list(found: Exchange, search: Search) -> Response:
    """The page the client asked for, as a ListResponse."""
    settings = found.services.settings
    if search.sort_order and search.sort_order.lower() not in ("ascending", "descending"):
        raise InvalidValue("sortOrder must be ascending or descending.")
    count = settings.default_page_size if search.count is None else max(search.count, 0)
    renderer = Renderer(found.registry, found.base_url, search.attributes, search.excluded)
    query = Query(
        resource_types=tuple(found.registry.type_named(name) for name in search.types),
        filter=search.filter,
        sort_by=search.sort_by,
        descending=(search.sort_order or "").lower() == "descending",
        start_index=max(min(search.start_index or 1, LARGEST), 1),
        count=min(count, settings.max_page_size),
        cursor=search.cursor,
        viewer=found.client.source_id,
    )
    with found.services.database.reading(found.client.tenant_id) as session:
        listing = find(session, query, found.services.cursors)
        page = renderer.page(session, listing.rows)
    return list_response(
        page,
        len(listing.rows),
        total=listing.total,
        start_index=None if search.cursor is not None else query.start_index,
        next_cursor=listing.next_cursor,
        previous_cursor=listing.previous_cursor,
    )
