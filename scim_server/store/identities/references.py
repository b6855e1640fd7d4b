"""Members and managers as a source tells them, and what of it waits for the other end."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, select, update

from scim_server.store.engine import Session
from scim_server.store.listed import among, argument
from scim_server.store.statements import Statement, insert_unless_there
from scim_server.store.tables.identities import links, resources
from scim_server.store.tables.sync import told_references

MEMBER = "member"
MANAGER = "manager"


class Resolvable(NamedTuple):
    """A reference whose two ends are linked: the owner's number and id, the target's number and id."""

    owner: str
    target: str
    owner_pk: int
    owner_id: str
    target_pk: int
    target_id: str


_OWN, _OTHER = links.alias("own_link"), links.alias("other_link")
_OWNER, _TARGET = resources.alias("owner_resource"), resources.alias("target_resource")
_OF = (
    told_references.c.tenant_id == bindparam("tenant"),
    told_references.c.source_id == bindparam("source"),
    told_references.c.role == bindparam("of_role"),
)
_OF_OWNER = (*_OF, told_references.c.owner == bindparam("of_owner"))
_TARGETS = Statement(select(told_references.c.target).where(*_OF_OWNER))
_ADD = insert_unless_there(told_references)
_DROP = Statement(
    lambda dialect: delete(told_references).where(*_OF_OWNER, among(told_references.c.target, "ids", dialect))
)
_DROP_ALL = Statement(
    delete(told_references).where(
        told_references.c.tenant_id == bindparam("tenant"),
        told_references.c.source_id == bindparam("source"),
        told_references.c.owner == bindparam("of_owner"),
    )
)
_RESOLVABLE = Statement(
    select(
        told_references.c.owner,
        told_references.c.target,
        _OWNER.c.pk.label("owner_pk"),
        _OWNER.c.id.label("owner_id"),
        _TARGET.c.pk.label("target_pk"),
        _TARGET.c.id.label("target_id"),
    )
    .select_from(told_references)
    .join(
        _OWN,
        and_(
            _OWN.c.tenant_id == told_references.c.tenant_id,
            _OWN.c.source_id == told_references.c.source_id,
            _OWN.c.immutable_id == told_references.c.owner,
            _OWN.c.state == "present",
        ),
    )
    .join(_OWNER, and_(_OWNER.c.pk == _OWN.c.resource_pk, _OWNER.c.state == "live"))
    .join(
        _OTHER,
        and_(
            _OTHER.c.tenant_id == told_references.c.tenant_id,
            _OTHER.c.source_id == told_references.c.source_id,
            _OTHER.c.immutable_id == told_references.c.target,
            _OTHER.c.state == "present",
        ),
    )
    .join(_TARGET, and_(_TARGET.c.pk == _OTHER.c.resource_pk, _TARGET.c.state == "live"))
    .where(*_OF, ~told_references.c.resolved)
    .order_by(told_references.c.owner, told_references.c.target)
    .limit(bindparam("limit"))
)
_SETTLE = Statement(
    update(told_references).where(*_OF_OWNER, told_references.c.target == bindparam("of_target")).values(resolved=True)
)


def targets_of(session: Session, source: int, owner: str, role: str) -> set[str]:
    """Whom the source last told as members (or the manager) of the object."""
    return {row[0] for row in session.all(_TARGETS, source=source, of_owner=owner, of_role=role)}


def add_references(
    session: Session, source: int, owner: str, role: str, targets: Iterable[str], *, resolved: bool
) -> None:
    """The source tells these references of the object."""
    rows = [
        {"source_id": source, "owner": owner, "role": role, "target": target, "resolved": resolved}
        for target in sorted(targets)
    ]
    session.many(_ADD, rows)


def drop_references(session: Session, source: int, owner: str, role: str, targets: Collection[str]) -> None:
    """The source tells these no more."""
    if targets:
        session.run(_DROP, source=source, of_owner=owner, of_role=role, ids=argument(session, targets))


def forget_references(session: Session, source: int, owner: str) -> None:
    """The source tells nothing of the object any more."""
    session.run(_DROP_ALL, source=source, of_owner=owner)


def resolvable(session: Session, source: int, role: str, limit: int) -> list[Resolvable]:
    """Pending references whose two ends are linked now."""
    rows = session.all(_RESOLVABLE, source=source, of_role=role, limit=limit)
    return [Resolvable._make(row) for row in rows]


def settle_references(session: Session, source: int, role: str, settled: Iterable[tuple[str, str]]) -> None:
    """These (owner, target) pairs are pending no more."""
    session.many(
        _SETTLE,
        [{"source": source, "of_role": role, "of_owner": owner, "of_target": target} for owner, target in settled],
    )
