"""From stored documents to answers: text is spliced, parsed only where the client asked for a part."""

from collections.abc import Sequence
from dataclasses import dataclass
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

    def __init__(self, registry: SchemaRegistry, base_url: str, projections: dict[str, Projection]) -> None:
        self._endpoints = {resource_type.name: resource_type.endpoint for resource_type in registry.types}
        self._base = base_url
        self._base_bytes = base_url.encode()
        self._projections = projections

    def one(self, session: Session, row: StoredResource) -> Rendered:
        """The resource with its groups or members where they are wanted."""
        return self.many(session, [row])[0]

    def many(self, session: Session, rows: Sequence[StoredResource]) -> list[Rendered]:
        """The resources in their order; one statement finds the groups of all users."""
        wanted = [row.pk for row in rows if row.in_group and row.type == "User" and self._wants(row, "groups")]
        groups = groups_of(session, wanted) if wanted else {}
        return [self._render(row, self._relations(session, row, groups)) for row in rows]

    def _wants(self, row: StoredResource, attribute: str) -> bool:
        return self._projections[row.type].wants(attribute)

    def _relations(self, session: Session, row: StoredResource, groups: dict[int, list[MemberOf]]) -> str:
        """``,"groups":[...]`` or ``,"members":[...]``; empty where there are none or nobody asked."""
        if row.type == "User":
            listed = [
                {"value": g.id, "$ref": f"../Groups/{g.id}", "display": g.display, "type": _DIRECTNESS[g.direct]}
                for g in groups.get(row.pk, ())
            ]
            return f',"groups":{orjson.dumps(listed).decode()}' if listed else ""
        if not self._wants(row, "members"):
            return ""
        shows_names = self._projections[row.type].names("members.display")
        parts = [
            orjson.dumps(self._member(key, kind, display if shows_names else "")).decode()
            for key, kind, display in members_of(session, row.pk)
        ]
        return f',"members":[{",".join(parts)}]' if parts else ""

    def _member(self, key: str, kind: str, display: str) -> dict[str, str]:
        member = {"value": key, "$ref": f"..{self._endpoints[kind]}/{key}", "type": kind}
        return {**member, "display": display} if display else member

    def _render(self, row: StoredResource, relations: str) -> Rendered:
        endpoint = self._endpoints[row.type]
        location = f"{self._base}{endpoint}/{row.id}"
        # A user's groups change without the user, a group's members go without the group: the entity tag shows it.
        mark = f".{crc32(relations.encode()):x}" if relations else ""
        tag = f'W/"{row.version}{mark}"'
        text = (
            f'{row.document[:-1]}{relations},"meta":{{"resourceType":"{row.type}","created":"{row.created_at}",'
            f'"lastModified":"{row.modified_at}","location":"../{endpoint[1:]}/{row.id}",'
            f'"version":"W/\\"{row.version}{mark}\\""}}}}'
        )
        projection = self._projections[row.type]
        if not projection.is_default:
            text = orjson.dumps(projection.apply(orjson.loads(text))).decode()
        wire = absolute(text.encode(), self._base_bytes)
        return Rendered(wire, tag, location)


_DIRECTNESS = {True: "direct", False: "indirect"}


def projections(
    registry: SchemaRegistry, attributes: str | list[str] | None, excluded: str | list[str] | None
) -> dict[str, Projection]:
    """What the client wants to see of each resource type; raises InvalidValue where it sends both parameters."""
    return {resource_type.name: _projection(resource_type, attributes, excluded) for resource_type in registry.types}


def _projection(
    resource_type: ResourceType, attributes: str | list[str] | None, excluded: str | list[str] | None
) -> Projection:
    return Projection.parse(resource_type, attributes=attributes, excluded=excluded)
