"""Links: what each source says of a resource, and the anchors by which sources recognise the same person."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Insert, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scim_server.store.engine import Session
from scim_server.store.listed import among, argument
from scim_server.store.statements import Statement, insert_unless_there
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import anchors, links


class StoredLink(NamedTuple):
    """A link as it lies, with its source; ``mapped``, ``times`` and ``source_settings`` are JSON text."""

    source_id: int
    source_kind: str
    source_rank: int
    immutable_id: str
    state: str
    enabled: bool | None
    origin: str
    mapped: str
    times: str
    read_at: str
    raw_hash: str = ""
    separated: bool = False
    copied: bool | None = None
    source_settings: str = "{}"


COLUMNS = (
    links.c.source_id,
    sources.c.kind,
    sources.c.rank,
    links.c.immutable_id,
    links.c.state,
    links.c.enabled,
    links.c.origin,
    links.c.mapped,
    links.c.times,
    links.c.read_at,
    links.c.raw_hash,
    links.c.separated,
    links.c.copied,
    sources.c.settings,
)
"""The columns of a StoredLink."""

_OF_RESOURCE = Statement(
    select(*COLUMNS)
    .join(sources, sources.c.id == links.c.source_id)
    .where(links.c.tenant_id == bindparam("tenant"), links.c.resource_pk == bindparam("pk"))
)
_WRITTEN = (
    "tenant_id", "source_id", "immutable_id", "type", "resource_pk", "state", "enabled", "origin", "mapped", "times",
    "read_at", "raw_hash", "separated", "copied",
)  # fmt: skip
_KEY = ("tenant_id", "source_id", "immutable_id")


def _upsert(dialect: str) -> Insert:
    values: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in _WRITTEN}
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(links).values(values)
    fresh = {name: insert.excluded[name] for name in _WRITTEN if name not in _KEY}
    return insert.on_conflict_do_update(index_elements=list(_KEY), set_=fresh)


_WRITE = Statement(_upsert)
_WRITE_TOLD = Statement(
    update(links)
    .where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.source_id == bindparam("source"),
        links.c.immutable_id == bindparam("object"),
    )
    .values(enabled=bindparam("now_enabled"), mapped=bindparam("now_mapped"), times=bindparam("now_times"))
)
_SET_STATE = Statement(
    update(links)
    .where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.source_id == bindparam("source"),
        links.c.resource_pk == bindparam("pk"),
    )
    .values(state=bindparam("new_state"))
)
_END_ALL = Statement(
    update(links)
    .where(
        links.c.tenant_id == bindparam("tenant"),
        links.c.resource_pk == bindparam("pk"),
        links.c.state == "present",
    )
    .values(state="deleted")
)
_HAND_OVER = Statement(
    update(links)
    .where(links.c.tenant_id == bindparam("tenant"), links.c.resource_pk == bindparam("pk"))
    .values(resource_pk=bindparam("successor"))
)
_ADD_ANCHOR = insert_unless_there(anchors)
_ANCHORS = Statement(
    lambda dialect: select(anchors.c.immutable_id, anchors.c.kind, anchors.c.value).where(
        anchors.c.tenant_id == bindparam("tenant"),
        anchors.c.source_id == bindparam("source"),
        among(anchors.c.immutable_id, "ids", dialect),
    )
)
_DROP_ANCHORS = Statement(
    delete(anchors).where(
        anchors.c.tenant_id == bindparam("tenant"),
        anchors.c.source_id == bindparam("source"),
        anchors.c.immutable_id == bindparam("object"),
    )
)
_BY_ANCHOR = Statement(
    select(links.c.resource_pk)
    .join(
        anchors,
        (anchors.c.source_id == links.c.source_id)
        & (anchors.c.immutable_id == links.c.immutable_id)
        & (anchors.c.tenant_id == links.c.tenant_id),
    )
    .where(
        anchors.c.tenant_id == bindparam("tenant"),
        anchors.c.kind == bindparam("kind"),
        anchors.c.value == bindparam("value"),
        links.c.resource_pk.is_not(None),
        links.c.state == "present",
    )
)


def links_of(session: Session, pk: int) -> list[StoredLink]:
    """Every link of the resource, ended ones included."""
    return [StoredLink._make(row) for row in session.all(_OF_RESOURCE, pk=pk)]


def write_link(session: Session, *, resource_type: str, pk: int, link: StoredLink) -> None:
    """The source's link to the object is as given, and binds it to the resource."""
    write_links(session, [(resource_type, pk, link)])


def write_links(session: Session, written: Iterable[tuple[str, int, StoredLink]]) -> None:
    """Each link is as given, and binds its object to the resource of that type and number."""
    rows = [
        {
            "source_id": link.source_id,
            "immutable_id": link.immutable_id,
            "type": resource_type,
            "resource_pk": pk,
            "state": link.state,
            "enabled": link.enabled,
            "origin": link.origin,
            "mapped": link.mapped,
            "times": link.times,
            "read_at": link.read_at,
            "raw_hash": link.raw_hash,
            "separated": link.separated,
            "copied": link.copied,
        }
        for resource_type, pk, link in written
    ]
    session.many(_WRITE, rows)


def write_told(session: Session, link: StoredLink) -> None:
    """What the source says of the object is as given; the link leads where it led, in the state it had.

    Half the price of ``write_link``, which writes the index entries anew.
    """
    session.run(
        _WRITE_TOLD,
        source=link.source_id,
        object=link.immutable_id,
        now_enabled=link.enabled,
        now_mapped=link.mapped,
        now_times=link.times,
    )


def end_link(session: Session, pk: int, source: int) -> bool:
    """The source's link to the resource is in state deleted; False where it had none."""
    return session.run(_SET_STATE, pk=pk, source=source, new_state="deleted") > 0


def end_all_links(session: Session, pk: int) -> None:
    """No source vouches for the resource any more."""
    session.run(_END_ALL, pk=pk)


def hand_over_links(session: Session, pk: int, successor: int) -> None:
    """Whatever sources said of the one resource they now say of the other."""
    session.run(_HAND_OVER, pk=pk, successor=successor)


def write_anchors(session: Session, source: int, immutable_id: str, found: Mapping[str, str]) -> None:
    """The object carries exactly these anchors (kind to value)."""
    write_all_anchors(session, source, {immutable_id: found})


def write_all_anchors(session: Session, source: int, found: Mapping[str, Mapping[str, str]]) -> None:
    """The objects, by immutable id, carry exactly these anchors (kind to value)."""
    known: dict[str, dict[str, str]] = {}
    for immutable_id, kind, value in session.all(_ANCHORS, source=source, ids=argument(session, found)):
        known.setdefault(immutable_id, {})[kind] = value
    new = {object_id: anchors for object_id, anchors in found.items() if known.get(object_id, {}) != anchors}
    for object_id in new.keys() & known.keys():
        session.run(_DROP_ANCHORS, source=source, object=object_id)
    rows = [
        {"kind": kind, "value": value, "source_id": source, "immutable_id": object_id}
        for object_id, anchors in sorted(new.items())
        for kind, value in sorted(anchors.items())
    ]
    session.many(_ADD_ANCHOR, rows)


def find_by_anchor(session: Session, kind: str, value: str) -> list[int]:
    """The resources (numbers) that some source's present object with this anchor belongs to."""
    return list({row[0]: None for row in session.all(_BY_ANCHOR, kind=kind, value=value)})
