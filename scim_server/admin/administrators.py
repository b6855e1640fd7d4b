"""Administrators of the console: the first one, signing in, and sessions that can be listed and revoked."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Final
from uuid import uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scim_server.admin.errors import NotThere, Refused
from scim_server.domain.keys import fold
from scim_server.domain.times import Clock, from_text, to_text
from scim_server.store.admin import administrators as stored
from scim_server.store.admin.administrators import StoredAdministrator, StoredSession
from scim_server.store.engine import Database

LONGEST_SESSION: Final = timedelta(hours=12)
IDLE_SESSION: Final = timedelta(hours=2)
SHORTEST_PASSWORD: Final = 12
_LONGEST_PASSWORD: Final = 256
_LONGEST_NAME: Final = 100
_LINK_LIFETIME: Final = timedelta(hours=24)
_SEEN_EVERY: Final = timedelta(minutes=1)
_NO_TENANT: Final = 0  # a session for statements that stand above the tenants

FAILURES_COUNT_FOR: Final = timedelta(minutes=15)
_MOST_FAILURES: Final = stored.Failures(both=5, name=100, address=30)
"""Few for one name from one address; many more for a name alone, or a stranger could lock its owner out."""


class SignInFailed(Refused):
    """Name or password is wrong; which of them is not said."""


class TooManyFailures(Refused):
    """So many sign-ins failed that for some minutes not even the right password is tried."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who is signed in, with the tenant this person administers and the session; ``role`` has one value so far."""

    tenant: int
    id: str
    name: str
    role: str
    session: str


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """One session of an administrator of the tenant."""

    id: str
    name: str
    address: str
    browser: str
    created_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a browser comes from and what it calls itself."""

    address: str
    browser: str


class Administrators:
    """Who may use the console."""

    def __init__(self, database: Database, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        """``hasher`` decides what a guess costs; by default what its library recommends."""
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._nobodys_hash = cache(lambda: self._hasher.hash(secrets.token_urlsafe(16)))

    def any_exists(self) -> bool:
        """Whether the first administrator was made."""
        with self._database.reading(_NO_TENANT) as session:
            return stored.any_exists(session)

    def new_link(self) -> str | None:
        """The secret of the link that makes the first administrator, within a day; None once there is one.

        A new link makes the one before worthless.
        """
        text = secrets.token_urlsafe(24)
        with self._database.writing(_NO_TENANT) as session:
            if stored.any_exists(session):
                return None
            stored.keep_link(session, _hash(text), to_text(self._clock.now()))
        return text

    def is_link(self, link: str) -> bool:
        """Whether the link would make the first administrator now."""
        with self._database.reading(_NO_TENANT) as session:
            made = stored.find_link(session, _hash(link))
            return made is not None and self._is_fresh(made) and not stored.any_exists(session)

    def create_first(self, link: str, tenant: int, name: str, password: str) -> None:
        """The first administrator is there and the link is used up. Raises NotThere for a bad link, Refused."""
        name = _check_name(name)
        _check_password(password)
        hashed = self._hasher.hash(password)
        with self._database.writing(tenant) as session:
            made = stored.use_link(session, _hash(link))
            if made is None or not self._is_fresh(made) or stored.any_exists(session):
                raise NotThere("The link was used or has expired; start the server again to get another.")
            stored.add(
                session,
                administrator=str(uuid4()),
                name=name,
                name_key=fold(name),
                password_hash=hashed,
                created_at=to_text(self._clock.now()),
            )

    def sign_in(self, name: str, password: str, visitor: Visitor) -> str:
        """The secret of a new session. Raises SignInFailed and TooManyFailures."""
        key, now = fold(name.strip())[:_LONGEST_NAME], self._clock.now()
        since = to_text(now - FAILURES_COUNT_FOR)
        with self._database.reading(_NO_TENANT) as session:
            failures = stored.count_failures(session, name_key=key, address=visitor.address, since=since)
            found = stored.find(session, key)
        if any(number >= most for number, most in zip(failures, _MOST_FAILURES, strict=True)):
            minutes = int(FAILURES_COUNT_FOR.total_seconds()) // 60
            raise TooManyFailures(f"Too many sign-ins have failed. Wait {minutes} minutes and try again.")
        if not self._is_right(found, password[: _LONGEST_PASSWORD + 1]) or found is None:
            with self._database.writing(_NO_TENANT) as session:
                stored.note_failure(
                    session, name_key=key, address=visitor.address, at=to_text(now), forget_before=since
                )
            raise SignInFailed("Name or password is wrong.")
        return self._open(found, password, visitor, now)

    def find(self, secret: str) -> Administrator | None:
        """Whose session it is; None where it has ended, was revoked or never was."""
        now = self._clock.now()
        with self._database.reading(_NO_TENANT) as session:
            found = stored.find_session(session, _hash(secret))
        if found is None:
            return None
        begun, seen = from_text(found.created_at), from_text(found.last_seen_at)
        if now >= begun + LONGEST_SESSION or now >= seen + IDLE_SESSION:
            return None
        if now >= seen + _SEEN_EVERY:
            with self._database.writing(found.administrator.tenant_id) as session:
                stored.note_seen(session, found.id, to_text(now))
        who = found.administrator
        return Administrator(who.tenant_id, who.id, who.name, who.role, found.id)

    def sessions(self, tenant: int) -> list[ConsoleSession]:
        """Every session of the tenant's administrators, the last used first."""
        with self._database.reading(tenant) as session:
            return [_session(row) for row in stored.list_sessions(session, **self._still_good())]

    def end_session(self, tenant: int, session_id: str) -> None:
        """The session is over: its browser has to sign in again. Raises NotThere."""
        with self._database.writing(tenant) as session:
            if not stored.end_session(session, session_id):
                raise NotThere("That session has ended already.")

    def _open(self, who: StoredAdministrator, password: str, visitor: Visitor, now: datetime) -> str:
        text = secrets.token_urlsafe(32)
        with self._database.writing(who.tenant_id) as session:
            stored.clear_failures(session, name_key=fold(who.name), address=visitor.address)
            stored.end_old_sessions(session, **self._still_good())
            if self._hasher.check_needs_rehash(who.password_hash):
                stored.set_password(session, who.id, self._hasher.hash(password))
            stored.open_session(
                session,
                session_id=uuid4().hex,
                administrator=who.id,
                hashed=_hash(text),
                address=visitor.address,
                browser=visitor.browser[:300],
                at=to_text(now),
            )
        return text

    def _is_right(self, found: StoredAdministrator | None, password: str) -> bool:
        """Whether it is the password; an unknown name takes as long as a wrong password."""
        hashed = found.password_hash if found else self._nobodys_hash()
        try:
            return self._hasher.verify(hashed, password) and found is not None
        except (VerificationError, InvalidHashError):
            return False

    def _still_good(self) -> dict[str, str]:
        now = self._clock.now()
        return {"begun_after": to_text(now - LONGEST_SESSION), "seen_after": to_text(now - IDLE_SESSION)}

    def _is_fresh(self, made_at: str) -> bool:
        return self._clock.now() < from_text(made_at) + _LINK_LIFETIME


def _check_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Refused(f"Choose a name of 1 to {_LONGEST_NAME} characters.")
    return name


def _check_password(password: str) -> None:
    """Length is what counts (NIST SP 800-63B section 3.1.1.2: no rules of composition)."""
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        raise Refused(f"Choose a password of at least {SHORTEST_PASSWORD} characters.")


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _session(row: StoredSession) -> ConsoleSession:
    return ConsoleSession(
        row.id, row.name, row.address, row.browser, from_text(row.created_at), from_text(row.last_seen_at)
    )
