"""What administrators see of a user or group beyond SCIM: where it comes from and what keeps it as it is."""

from typing import NamedTuple

from sqlalchemy import bindparam, select

from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import links


class Provenance(NamedTuple):
    """One link of a resource: what a source calls it, and since when it says so; times are texts."""

    source: str
    kind: str
    immutable_id: str
    state: str
    enabled: bool | None
    origin: str
    read_at: str


_LINKS = Statement(
    select(
        sources.c.name,
        sources.c.kind,
        links.c.immutable_id,
        links.c.state,
        links.c.enabled,
        links.c.origin,
        links.c.read_at,
    )
    .join(sources, sources.c.id == links.c.source_id)
    .where(links.c.tenant_id == bindparam("tenant"), links.c.resource_pk == bindparam("pk"))
    .order_by(sources.c.rank, sources.c.name, links.c.immutable_id)
)


def links_of(session: Session, pk: int) -> list[Provenance]:
    """Every link of the resource, the source with the highest authority first."""
    found = [Provenance._make(row) for row in session.all(_LINKS, pk=pk)]
    return [each._replace(enabled=None if each.enabled is None else bool(each.enabled)) for each in found]
