"""What the pages of users and of groups share: the query in the address, and the address of the next page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from flask import request, url_for

from scim_server.admin.sources import Source
from scim_server.scim.errors import ScimError
from scim_server.scim.registry import ResourceType
from scim_server.store.reads.cursors import Position
from scim_server.store.reads.people import BY_CHANGE, BY_NAME, People, PeopleQuery, Place, find_people
from scim_server.web.console.site import admin, read, tenant
from scim_server.web.scim.exchange import services

PAGE: Final = 50
_STATES: Final = {"active": True, "inactive": False}


@dataclass(frozen=True)
class Listed:
    """One page for a template; ``rows`` are people with their documents opened."""

    endpoint: str
    arguments: dict[str, str]
    people: People
    rows: list[tuple[Any, dict[str, Any]]]
    sources: list[Source]
    next: str | None

    def sorted_by(self, sort: str) -> str:
        """The address of the same page sorted so, or the other way round where it is already."""
        is_same = self.arguments.get("sort", BY_NAME) == sort
        descending = sort == BY_CHANGE if not is_same else "descending" not in self.arguments
        kept = {name: value for name, value in self.arguments.items() if name not in ("sort", "descending")}
        return _address(self.endpoint, {**kept, "sort": sort, **({"descending": "1"} if descending else {})})

    def direction(self, sort: str) -> str:
        """The value of ``aria-sort`` for a column."""
        if self.arguments.get("sort", BY_NAME) != sort:
            return "none"
        return "descending" if "descending" in self.arguments else "ascending"

    @property
    def is_filtered(self) -> bool:
        return any(name in self.arguments for name in ("q", "state", "source", "duplicates"))


def list_people(kind: ResourceType, endpoint: str, only: Source | None = None) -> Listed:
    """The page that the address asks for; of one source alone where the page is about that."""
    asked = {name: request.args[name] for name in _PARAMETERS if request.args.get(name)}
    sources = [only] if only else admin().sources.list(tenant())
    if only:
        asked["source"] = only.name
    query = _query(asked, sources)
    mark = f"console:{tenant()}:{kind.name}:{query}"
    with read() as session:
        people = find_people(session, kind, query, PAGE, _place(mark))
    path = request.view_args or {}
    following = services().cursors.seal(Position(0, *people.next), mark) if people.next else None
    return Listed(
        endpoint=endpoint,
        arguments={**asked, **path},
        people=people,
        rows=[(person, orjson.loads(person.document)) for person in people.rows],
        sources=sources,
        next=_address(endpoint, {**asked, **path, "after": following}) if following else None,
    )


def _address(endpoint: str, parameters: Mapping[str, Any]) -> str:
    return url_for(endpoint, **parameters)


_PARAMETERS: Final = ("q", "state", "source", "duplicates", "sort", "descending")


def _query(asked: dict[str, str], sources: list[Source]) -> PeopleQuery:
    return PeopleQuery(
        search=asked.get("q", ""),
        active=_STATES.get(asked.get("state", "")),
        source=next((source.id for source in sources if source.name == asked.get("source")), None),
        duplicated="duplicates" in asked,
        sort=BY_CHANGE if asked.get("sort") == BY_CHANGE else BY_NAME,
        descending="descending" in asked,
    )


def _place(mark: str) -> Place | None:
    """Where the page before ended; an old or foreign cursor begins anew."""
    cursor = request.args.get("after")
    if not cursor:
        return None
    try:
        position = services().cursors.open(cursor, mark)
    except ScimError:
        return None
    return Place(str(position.key), position.pk)
