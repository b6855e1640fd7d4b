"""Where each value of a user or group comes from: the rules of authority over its links, as they lie."""

from datetime import datetime
from typing import NamedTuple

import orjson
from sqlalchemy import bindparam, select

from scim_server.domain.authority import effective
from scim_server.domain.identities import Link
from scim_server.domain.policies import source_ref
from scim_server.domain.times import from_text
from scim_server.store.engine import Row, Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import links


class Provider(NamedTuple):
    """The source that provides a value, and when it said so."""

    source: str
    at: datetime | None


_LINKS = Statement(
    select(
        sources.c.id,
        sources.c.kind,
        sources.c.rank,
        sources.c.settings,
        sources.c.name,
        links.c.immutable_id,
        links.c.state,
        links.c.enabled,
        links.c.origin,
        links.c.mapped,
        links.c.times,
        links.c.read_at,
        links.c.separated,
        links.c.copied,
    )
    .join(sources, sources.c.id == links.c.source_id)
    .where(links.c.tenant_id == bindparam("tenant"), links.c.resource_pk == bindparam("pk"))
)


def providers_of(session: Session, pk: int) -> dict[str, Provider]:
    """Flat attribute name to the source that provides it; what nobody provides any more is not in it."""
    rows = session.all(_LINKS, pk=pk)
    names = {row[0]: row[4] for row in rows}
    known = {row[0]: source_ref(row[0], row[1], row[2], row[3], orjson.loads) for row in rows}
    decided = effective([_link(row) for row in rows], known)
    return {name: Provider(names[source], at) for name, (source, at) in decided.provenance.items()}


def _link(row: Row) -> Link:
    return Link(
        source_id=row[0],
        immutable_id=row[5],
        state=row[6],
        enabled=None if row[7] is None else bool(row[7]),
        origin=row[8],
        mapped=orjson.loads(row[9]),
        times={name: from_text(at) for name, at in orjson.loads(row[10]).items()},
        read_at=from_text(row[11]),
        separated=bool(row[12]),
        copied=None if row[13] is None else bool(row[13]),
    )
