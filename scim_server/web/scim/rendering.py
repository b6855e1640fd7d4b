"""From stored documents to answers: text is spliced, parsed only where the client asked for a part."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import orjson

from scim_server.scim.registry import ResourceType, SchemaRegistry
from scim_server.scim.representation import Projection, absolute
from scim_server.store.engine import Session
from scim_server.store.reads.resources import MemberOf, StoredResource, groups_of, members_of


@dataclass(frozen=True, slots=True)
class Rendered:
    """One resource as JSON text with its entity tag and address."""

    text: bytes
    etag: str
    location: str


class Renderer:
    """Renders the rows of one answer, with as few statements as the projection allows."""

    def __init__(
        self,
        registry: SchemaRegistry,
        base_url: str,
        attributes: str | Sequence[str] | None = None,
        excluded: str | Sequence[str] | None = None,
    ) -> None:
        """Raises InvalidValue where the client sends both ``attributes`` and ``excludedAttributes``."""
        self._base = base_url
        self._base_bytes = base_url.encode()
        self._views = _views(registry, _hashable(attributes), _hashable(excluded))

    def one(self, session: Session, row: StoredResource) -> Rendered:
        """The resource with its groups or members where they are wanted."""
        relations = self._relations(session, [row])[0]
        location = f"{self._base}{self._views[row.type].endpoint}/{row.id}"
        return Rendered(self._text(row, relations).encode(), f'W/"{row.version}{relations.mark}"', location)

    def page(self, session: Session, rows: Sequence[StoredResource]) -> bytes:
        """The resources in their order, with commas between; one statement finds the groups of all users."""
        found = self._relations(session, rows)
        texts = [self._text(row, relations) for row, relations in zip(rows, found, strict=True)]
        return ",".join(texts).encode()

    def _relations(self, session: Session, rows: Sequence[StoredResource]) -> list["_Relations"]:
        views = self._views
        wanted = [row.pk for row in rows if row.in_group and row.type == "User" and views["User"].groups]
        groups = groups_of(session, wanted) if wanted else {}
        known: dict[tuple[MemberOf, ...], _Relations] = {(): _NONE}  # many users of a page are in the same groups
        found = []
        for row in rows:
            if row.type == "User":
                listed = tuple(groups.get(row.pk, ()))
                if listed not in known:
                    known[listed] = self._listed("groups", map(_group, listed))
                found.append(known[listed])
            else:
                found.append(self._members(session, row) if views[row.type].members else _NONE)
        return found

    def _members(self, session: Session, row: StoredResource) -> "_Relations":
        shows_names = self._views[row.type].names_members
        parts = (
            self._member(key, kind, display if shows_names else "")
            for key, kind, display in members_of(session, row.pk)
        )
        return self._listed("members", parts)

    def _member(self, key: str, kind: str, display: str) -> dict[str, str]:
        member = {"value": key, "$ref": f"..{self._views[kind].endpoint}/{key}", "type": kind}
        return {**member, "display": display} if display else member

    def _listed(self, name: str, elements: Iterable[dict[str, str]]) -> "_Relations":
        parts = [orjson.dumps(element) for element in elements]
        if not parts:
            return _NONE
        text = b',"%b":[%b]' % (name.encode(), b",".join(parts))
        return _Relations(absolute(text, self._base_bytes).decode(), f".{crc32(text):x}")

    def _text(self, row: StoredResource, relations: "_Relations") -> str:
        """The resource as the client sees it."""
        view, document = self._views[row.type], row.document
        if "../" in document:  # few have a reference, and to look for a whole one in each costs more than the rest here
            document = absolute(document.encode(), self._base_bytes).decode()
        text = (
            f'{document[:-1]}{relations.text},"meta":{{"resourceType":"{row.type}","created":"{row.created_at}",'
            f'"lastModified":"{row.modified_at}","location":"{self._base}{view.endpoint}/{row.id}",'
            f'"version":"W/\\"{row.version}{relations.mark}\\""}}}}'
        )
        if view.is_default:
            return text
        return orjson.dumps(view.projection.apply(orjson.loads(text))).decode()


@dataclass(frozen=True, slots=True)
class _Relations:
    """``,"groups":[...]`` or ``,"members":[...]`` for the end of a document, empty where there is nothing to show.

    A user's groups change without the user, a group's members go without the group: the ``mark`` behind the version
    in the entity tag shows it.
    """

    text: str
    mark: str


_NONE = _Relations("", "")
_DIRECTNESS = {True: "direct", False: "indirect"}


def _group(group: MemberOf) -> dict[str, str]:
    return {
        "value": group.id, "$ref": f"../Groups/{group.id}", "display": group.display, "type": _DIRECTNESS[group.direct]
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _View:
    """What an answer shows of one resource type."""

    endpoint: str
    projection: Projection
    is_default: bool
    groups: bool
    members: bool
    names_members: bool


_Names = str | tuple[str, ...] | None


def _hashable(names: str | Sequence[str] | None) -> _Names:
    return names if names is None or isinstance(names, str) else tuple(names)


@lru_cache(maxsize=256)  # to work out what the two parameters mean takes as long as reading a user
def _views(registry: SchemaRegistry, attributes: _Names, excluded: _Names) -> dict[str, _View]:
    return {each.name: _view(each, attributes, excluded) for each in registry.types}


def _view(resource_type: ResourceType, attributes: _Names, excluded: _Names) -> _View:
    projection = Projection.parse(resource_type, attributes=attributes, excluded=excluded)
    return _View(
        endpoint=resource_type.endpoint,
        projection=projection,
        is_default=projection.is_default,
        groups=projection.wants("groups"),
        members=projection.wants("members"),
        names_members=projection.names("members.display"),
    )
