"""Statements about administrators of the console and their sessions.

Who signs in names no tenant: look-ups by name and by session stand above the tenants and say which one it is.
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update

from scim_server.store.admin.inserts import insert_new
from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.console import administrators, console_sessions, failed_sign_ins, first_starts

_MINE = administrators.c.tenant_id == bindparam("tenant")
_COLUMNS = (
    administrators.c.tenant_id,
    administrators.c.id,
    administrators.c.name,
    administrators.c.role,
    administrators.c.password_hash,
)
_ANY = Statement(select(administrators.c.id).limit(1))
_BY_NAME = Statement(select(*_COLUMNS).where(administrators.c.name_key == bindparam("key")))
_INSERT = insert_new(
    administrators,
    "tenant_id",
    "id",
    "name",
    "name_key",
    "password_hash",
    "created_at",
    returning=administrators.c.id,
)
_SET_PASSWORD = Statement(
    update(administrators)
    .where(_MINE, administrators.c.id == bindparam("administrator"))
    .values(password_hash=bindparam("new_hash"))
)
_SIGNED_IN = Statement(
    update(administrators)
    .where(_MINE, administrators.c.id == bindparam("administrator"))
    .values(last_sign_in_at=bindparam("at"))
)

_SESSION_NAMES = (
    "tenant_id",
    "id",
    "administrator_id",
    "hash",
    "address",
    "browser",
    "created_at",
    "last_seen_at",
)
_OPEN = Statement(insert(console_sessions).values({name: bindparam(name) for name in _SESSION_NAMES}))
_BY_HASH = Statement(
    select(*_COLUMNS, console_sessions.c.id, console_sessions.c.created_at, console_sessions.c.last_seen_at)
    .join(
        administrators,
        and_(
            administrators.c.tenant_id == console_sessions.c.tenant_id,
            administrators.c.id == console_sessions.c.administrator_id,
        ),
    )
    .where(console_sessions.c.hash == bindparam("of_hash"))
)
_SEEN = Statement(
    update(console_sessions)
    .where(console_sessions.c.tenant_id == bindparam("tenant"), console_sessions.c.id == bindparam("of_session"))
    .values(last_seen_at=bindparam("at"))
)
_SESSIONS = Statement(
    select(
        console_sessions.c.id,
        administrators.c.id,
        administrators.c.name,
        console_sessions.c.address,
        console_sessions.c.browser,
        console_sessions.c.created_at,
        console_sessions.c.last_seen_at,
    )
    .join(
        administrators,
        and_(_MINE, administrators.c.id == console_sessions.c.administrator_id),
    )
    .where(
        console_sessions.c.tenant_id == bindparam("tenant"),
        console_sessions.c.created_at > bindparam("begun_after"),
        console_sessions.c.last_seen_at > bindparam("seen_after"),
    )
    .order_by(console_sessions.c.last_seen_at.desc(), console_sessions.c.id)
)
_END = Statement(
    delete(console_sessions).where(
        console_sessions.c.tenant_id == bindparam("tenant"), console_sessions.c.id == bindparam("of_session")
    )
)
_END_OLD = Statement(
    delete(console_sessions).where(
        or_(
            console_sessions.c.created_at <= bindparam("begun_after"),
            console_sessions.c.last_seen_at <= bindparam("seen_after"),
        )
    )
)
_FORGET_LINKS = Statement(delete(first_starts))
_KEEP_LINK = Statement(insert(first_starts).values(hash=bindparam("hash"), created_at=bindparam("created_at")))
_FIND_LINK = Statement(select(first_starts.c.created_at).where(first_starts.c.hash == bindparam("hash")))
_USE_LINK = Statement(
    delete(first_starts).where(first_starts.c.hash == bindparam("hash")).returning(first_starts.c.created_at)
)
_FAILED = Statement(
    insert(failed_sign_ins).values(name_key=bindparam("name_key"), address=bindparam("address"), at=bindparam("at"))
)
_FORGET_FAILED = Statement(delete(failed_sign_ins).where(failed_sign_ins.c.at <= bindparam("before")))
_OF_NAME = and_(failed_sign_ins.c.name_key == bindparam("of_name"), failed_sign_ins.c.at > bindparam("since"))
_OF_ADDRESS = and_(failed_sign_ins.c.address == bindparam("of_address"), failed_sign_ins.c.at > bindparam("since"))
_COUNT_FAILED = Statement(
    select(
        select(func.count())
        .select_from(failed_sign_ins)
        .where(_OF_NAME, failed_sign_ins.c.address == bindparam("of_address"))
        .scalar_subquery(),
        select(func.count()).select_from(failed_sign_ins).where(_OF_NAME).scalar_subquery(),
        select(func.count()).select_from(failed_sign_ins).where(_OF_ADDRESS).scalar_subquery(),
    )
)
_CLEAR_FAILED = Statement(
    delete(failed_sign_ins).where(
        failed_sign_ins.c.name_key == bindparam("of_name"), failed_sign_ins.c.address == bindparam("of_address")
    )
)


class StoredAdministrator(NamedTuple):
    """A row of ``administrators``."""

    tenant_id: int
    id: str
    name: str
    role: str
    password_hash: str


class StoredSession(NamedTuple):
    """A session as it is listed; times are texts."""

    id: str
    administrator_id: str
    name: str
    address: str
    browser: str
    created_at: str
    last_seen_at: str


@dataclass(frozen=True, slots=True)
class FoundSession:
    """The session behind a cookie, and whose it is."""

    administrator: StoredAdministrator
    id: str
    created_at: str
    last_seen_at: str


class Failures(NamedTuple):
    """How many sign-ins failed: with this name from this address, with this name, and from this address."""

    both: int
    name: int
    address: int


def any_exists(session: Session) -> bool:
    """Whether anybody, in any tenant, can sign in."""
    return session.one(_ANY) is not None


def find(session: Session, name_key: str) -> StoredAdministrator | None:
    """The administrator of that name in any tenant."""
    row = session.one(_BY_NAME, key=name_key)
    return StoredAdministrator._make(row) if row else None


def add(session: Session, *, administrator: str, name: str, name_key: str, password_hash: str, created_at: str) -> bool:
    """The administrator is there; False where the name is taken."""
    values = {"id": administrator, "name": name, "name_key": name_key, "password_hash": password_hash}
    return bool(session.all(_INSERT, created_at=created_at, **values))


def set_password(session: Session, administrator: str, password_hash: str) -> None:
    """The administrator signs in with the password of that hash."""
    session.run(_SET_PASSWORD, administrator=administrator, new_hash=password_hash)


def open_session(
    session: Session, *, session_id: str, administrator: str, hashed: str, address: str, browser: str, at: str
) -> None:
    """The administrator is signed in."""
    session.run(
        _OPEN,
        id=session_id,
        administrator_id=administrator,
        hash=hashed,
        address=address,
        browser=browser,
        created_at=at,
        last_seen_at=at,
    )
    session.run(_SIGNED_IN, administrator=administrator, at=at)


def find_session(session: Session, hashed: str) -> FoundSession | None:
    """The session with that hash in any tenant: only after this is the tenant of a request known."""
    row = session.one(_BY_HASH, of_hash=hashed)
    return FoundSession(StoredAdministrator._make(row[:5]), *row[5:]) if row else None


def note_seen(session: Session, session_id: str, at: str) -> None:
    """The session was used at that time."""
    session.run(_SEEN, of_session=session_id, at=at)


def list_sessions(session: Session, *, begun_after: str, seen_after: str) -> list[StoredSession]:
    """Every session of the tenant that is still good, the last used first."""
    rows = session.all(_SESSIONS, begun_after=begun_after, seen_after=seen_after)
    return [StoredSession._make(row) for row in rows]


def end_session(session: Session, session_id: str) -> bool:
    """The session is over; False if there was none."""
    return session.run(_END, of_session=session_id) > 0


def end_old_sessions(session: Session, *, begun_after: str, seen_after: str) -> None:
    """Sessions of any tenant that are too old are gone."""
    session.run(_END_OLD, begun_after=begun_after, seen_after=seen_after)


def keep_link(session: Session, hashed: str, at: str) -> None:
    """The one link of the first start is that with this hash."""
    session.run(_FORGET_LINKS)
    session.run(_KEEP_LINK, hash=hashed, created_at=at)


def find_link(session: Session, hashed: str) -> str | None:
    """When the link with that hash was made; None if there is no such link."""
    row = session.one(_FIND_LINK, hash=hashed)
    return row[0] if row else None


def use_link(session: Session, hashed: str) -> str | None:
    """The link is gone; when it was made, for the one who used it first, None for everybody else."""
    row = session.one(_USE_LINK, hash=hashed)
    return row[0] if row else None


def note_failure(session: Session, *, name_key: str, address: str, at: str, forget_before: str) -> None:
    """The failed sign-in is counted, and those before that time are forgotten."""
    session.run(_FORGET_FAILED, before=forget_before)
    session.run(_FAILED, name_key=name_key, address=address, at=at)


def count_failures(session: Session, *, name_key: str, address: str, since: str) -> Failures:
    """How many sign-ins failed since then."""
    row = session.one(_COUNT_FAILED, of_name=name_key, of_address=address, since=since)
    return Failures._make(row) if row else Failures(0, 0, 0)


def clear_failures(session: Session, *, name_key: str, address: str) -> None:
    """A sign-in went well, so earlier failures with that name from that address count no more."""
    session.run(_CLEAR_FAILED, of_name=name_key, of_address=address)
