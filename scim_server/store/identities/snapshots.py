"""What is stored of many objects at once: the links, resources, claims and anchors that a batch of a plan is about."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from sqlalchemy import and_, bindparam, select

from scim_server.domain.keys import Claim
from scim_server.store.engine import Session
from scim_server.store.identities.claims import Holder
from scim_server.store.identities.links import COLUMNS as LINK_COLUMNS
from scim_server.store.identities.links import StoredLink
from scim_server.store.identities.resources import COLUMNS as RESOURCE_COLUMNS
from scim_server.store.identities.resources import Loaded
from scim_server.store.listed import among, argument
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import anchors, attribute_values, claims, links, resources

_CHUNK = 500

_LINKS_OF_OBJECTS = Statement(
    lambda dialect: (
        select(links.c.resource_pk, *LINK_COLUMNS)
        .join(sources, sources.c.id == links.c.source_id)
        .where(
            links.c.tenant_id == bindparam("tenant"),
            links.c.source_id == bindparam("source"),
            among(links.c.immutable_id, "ids", dialect),
        )
    )
)
_LINKS_OF_RESOURCES = Statement(
    lambda dialect: (
        select(links.c.resource_pk, *LINK_COLUMNS)
        .join(sources, sources.c.id == links.c.source_id)
        .where(links.c.tenant_id == bindparam("tenant"), among(links.c.resource_pk, "numbers", dialect, numbers=True))
        .order_by(links.c.source_id, links.c.immutable_id)
    )
)
_RESOURCES = Statement(
    lambda dialect: select(*RESOURCE_COLUMNS).where(
        resources.c.tenant_id == bindparam("tenant"), among(resources.c.pk, "numbers", dialect, numbers=True)
    )
)
_LOCKED = Statement(
    lambda dialect: (
        select(*RESOURCE_COLUMNS)
        .where(resources.c.tenant_id == bindparam("tenant"), among(resources.c.id, "ids", dialect))
        .order_by(resources.c.pk)
        .with_for_update(of=resources, key_share=True)
    )
)
_CLAIMS = Statement(
    lambda dialect: select(claims.c.resource_pk, claims.c.ns, claims.c.key, claims.c.role).where(
        claims.c.tenant_id == bindparam("tenant"), among(claims.c.resource_pk, "numbers", dialect, numbers=True)
    )
)
_HOLDERS = Statement(
    lambda dialect: (
        select(
            claims.c.key, claims.c.resource_pk, resources.c.id, claims.c.role, resources.c.active, resources.c.display
        )
        .join(resources, and_(resources.c.pk == claims.c.resource_pk, resources.c.tenant_id == bindparam("tenant")))
        .where(
            claims.c.tenant_id == bindparam("tenant"),
            claims.c.ns == bindparam("of_ns"),
            among(claims.c.key, "keys", dialect),
        )
    )
)
_ANCHORED = Statement(
    lambda dialect: (
        select(anchors.c.value, links.c.resource_pk)
        .join(
            links,
            and_(
                links.c.tenant_id == anchors.c.tenant_id,
                links.c.source_id == anchors.c.source_id,
                links.c.immutable_id == anchors.c.immutable_id,
            ),
        )
        .where(
            anchors.c.tenant_id == bindparam("tenant"),
            anchors.c.kind == bindparam("of_kind"),
            among(anchors.c.value, "found", dialect),
            links.c.state == "present",
            links.c.resource_pk.is_not(None),
        )
    )
)
_LINKED = Statement(
    lambda dialect: (
        select(links.c.immutable_id, resources.c.id)
        .join(resources, and_(resources.c.pk == links.c.resource_pk, resources.c.tenant_id == bindparam("tenant")))
        .where(
            links.c.tenant_id == bindparam("tenant"),
            links.c.source_id == bindparam("source"),
            links.c.state == "present",
            resources.c.state == "live",
            among(links.c.immutable_id, "ids", dialect),
        )
    )
)
_WITH_VALUE = Statement(
    select(attribute_values.c.resource_pk)
    .where(
        attribute_values.c.tenant_id == bindparam("tenant"),
        attribute_values.c.attribute == bindparam("number"),
        attribute_values.c.head == bindparam("of_head"),
        attribute_values.c.tail == bindparam("of_tail"),
    )
    .limit(3)
)


def links_of_objects(session: Session, source: int, ids: Collection[str]) -> dict[str, tuple[StoredLink, int | None]]:
    """Immutable id to the source's link and the number of its resource."""
    rows = session.all(_LINKS_OF_OBJECTS, source=source, ids=argument(session, ids))
    return {link.immutable_id: (link, row[0]) for row in rows for link in (StoredLink._make(row[1:]),)}


def links_of_resources(session: Session, numbers: Collection[int]) -> dict[int, list[StoredLink]]:
    """Resource number to all its links, ended ones included."""
    found: defaultdict[int, list[StoredLink]] = defaultdict(list)
    for row in session.all(_LINKS_OF_RESOURCES, numbers=argument(session, numbers)):
        found[row[0]].append(StoredLink._make(row[1:]))
    return found


def resources_of(session: Session, numbers: Collection[int]) -> dict[int, Loaded]:
    """Resource number to the resource in any state; nothing is locked."""
    return {row[0]: Loaded._make(row) for row in session.all(_RESOURCES, numbers=argument(session, numbers))}


def lock_resources(session: Session, ids: Collection[str]) -> dict[str, Loaded]:
    """Resource id to the resource in any state, locked in the order of the numbers until the transaction ends."""
    rows = session.all(_LOCKED, ids=argument(session, ids))
    return {loaded.id: loaded for loaded in map(Loaded._make, rows)}


def claims_of_resources(session: Session, numbers: Collection[int]) -> dict[int, dict[Claim, str]]:
    """Resource number to the claims it holds with their roles."""
    found: defaultdict[int, dict[Claim, str]] = defaultdict(dict)
    for number, ns, key, role in session.all(_CLAIMS, numbers=argument(session, numbers)):
        found[number][Claim(ns, key)] = role
    return found


def holders_among(session: Session, wanted: Iterable[Claim]) -> dict[Claim, Holder]:
    """Who holds each of these claims now, a few statements for any number; free ones are left out."""
    by_namespace: defaultdict[str, list[str]] = defaultdict(list)
    for claim in wanted:
        by_namespace[claim.ns].append(claim.key)
    found: dict[Claim, Holder] = {}
    for ns, keys in by_namespace.items():
        for chunk in _chunks(keys):
            for key, pk, resource_id, role, active, display in session.all(
                _HOLDERS, of_ns=ns, keys=argument(session, chunk)
            ):
                claim = Claim(ns, key)
                found[claim] = Holder(claim, pk, resource_id, role, bool(active), display)
    return found


def anchored(session: Session, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], set[int]]:
    """(kind, value) of an anchor to the resources that present objects with it belong to."""
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for kind, value in wanted:
        by_kind[kind].append(value)
    found: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for kind, values in by_kind.items():
        for value, pk in session.all(_ANCHORED, of_kind=kind, found=argument(session, values)):
            found[kind, value].add(pk)
    return found


def linked_resources(session: Session, source: int, ids: Collection[str]) -> dict[str, str]:
    """Immutable id of a present object to the id of its live resource."""
    return dict(session.all(_LINKED, source=source, ids=argument(session, ids))) if ids else {}


def with_value(session: Session, number: int, head: str, tail: str) -> list[int]:
    """Up to three resources with this value in the index; ``number`` is that of the attribute."""
    return [row[0] for row in session.all(_WITH_VALUE, number=number, of_head=head, of_tail=tail)]


def _chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
