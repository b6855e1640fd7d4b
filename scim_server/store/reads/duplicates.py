"""Reading the register of duplicates: pages with the newest first, single cases, and how many there are."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, tuple_

from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources
from scim_server.store.tables.identities import duplicates, resources

STATUSES = ("open", "dismissed", "resolved", "cleared")


class DuplicateCase(NamedTuple):
    """One object that wanted one value which another holds; times are texts.

    ``resource_id`` is the object's own resource where it has one, ``holder_id`` the resource that holds the value;
    ``holder_object`` names a peer that is no resource itself. ``mapped`` is JSON text: what the object wanted to be.
    """

    id: str
    status: str
    kind: str
    namespace: str
    value: str
    type: str
    source: str
    immutable_id: str
    channel: str
    resource_id: str | None
    holder_id: str | None
    holder_display: str | None
    holder_object: str | None
    seen: int
    first_at: str
    last_at: str
    resolution: str | None
    resolved_by: str | None
    mapped: str


_OWN = resources.alias("own")
_HOLDER = resources.alias("holder")
CASES = (
    select(
        duplicates.c.id,
        duplicates.c.status,
        duplicates.c.kind,
        duplicates.c.ns,
        duplicates.c.raw,
        duplicates.c.type,
        sources.c.name,
        duplicates.c.immutable_id,
        duplicates.c.channel,
        _OWN.c.id,
        _HOLDER.c.id,
        _HOLDER.c.display,
        duplicates.c.holder_object,
        duplicates.c.seen,
        duplicates.c.first_at,
        duplicates.c.last_at,
        duplicates.c.resolution,
        duplicates.c.resolved_by,
        duplicates.c.mapped,
    )
    .join(sources, sources.c.id == duplicates.c.source_id)
    .outerjoin(_OWN, and_(_OWN.c.tenant_id == bindparam("tenant"), _OWN.c.pk == duplicates.c.resource_pk))
    .outerjoin(_HOLDER, and_(_HOLDER.c.tenant_id == bindparam("tenant"), _HOLDER.c.pk == duplicates.c.holder_pk))
    .where(duplicates.c.tenant_id == bindparam("tenant"))
)
_PAGE = Statement(
    CASES.where(
        duplicates.c.status == bindparam("of_status"),
        tuple_(duplicates.c.last_at, duplicates.c.id) < tuple_(bindparam("before_at"), bindparam("before_id")),
    )
    .order_by(duplicates.c.last_at.desc(), duplicates.c.id.desc())
    .limit(bindparam("limit"))
)
_ONE = Statement(CASES.where(duplicates.c.id == bindparam("case")))
_ABOUT = Statement(
    CASES.where(
        duplicates.c.status.in_((literal_column("'open'"), literal_column("'dismissed'"))),
        or_(duplicates.c.resource_pk == bindparam("pk"), duplicates.c.holder_pk == bindparam("pk")),
    ).order_by(duplicates.c.last_at.desc(), duplicates.c.id.desc())
)
_COUNTS = Statement(
    select(duplicates.c.status, func.count())
    .where(duplicates.c.tenant_id == bindparam("tenant"))
    .group_by(duplicates.c.status)
)
_AFTER_ALL = ("~", "")  # sorts behind every time


def list_cases(session: Session, status: str, limit: int, after: DuplicateCase | None = None) -> list[DuplicateCase]:
    """Up to ``limit`` cases of that status, the newest first, those behind ``after`` where it is given."""
    before_at, before_id = (after.last_at, after.id) if after else _AFTER_ALL
    rows = session.all(_PAGE, of_status=status, before_at=before_at, before_id=before_id, limit=limit)
    return [DuplicateCase._make(row) for row in rows]


def find_case(session: Session, case_id: str) -> DuplicateCase | None:
    """The case of that id."""
    row = session.one(_ONE, case=case_id)
    return DuplicateCase._make(row) if row else None


def cases_about(session: Session, pk: int) -> list[DuplicateCase]:
    """The cases not yet settled in which the resource wants a value or holds one."""
    return [DuplicateCase._make(row) for row in session.all(_ABOUT, pk=pk)]


def count_cases(session: Session) -> dict[str, int]:
    """How many cases there are of each status."""
    return {**dict.fromkeys(STATUSES, 0), **dict(session.all(_COUNTS))}
