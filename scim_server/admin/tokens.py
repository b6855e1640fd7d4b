"""Bearer tokens of provisioning clients: made, listed, revoked, and recognised on every request."""

import logging
import secrets
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from scim_server.admin.errors import NotThere, Refused
from scim_server.admin.options import push_settings, tenant_settings
from scim_server.domain.clients import Client, Scope
from scim_server.domain.times import Clock, from_text, to_text
from scim_server.store.admin import sources as stored_sources
from scim_server.store.admin import tokens as stored_tokens
from scim_server.store.admin.tokens import StoredToken, ValidToken
from scim_server.store.engine import Database, StoreUnavailable

PREFIX = "scim_"
"""Lets people and secret scanners recognise a token that turns up where it should not be."""

_LENGTH = len(PREFIX) + 43  # 32 random bytes in base64url
_FRESH = timedelta(seconds=5)  # for so long another process may go on accepting a token revoked here
_NOTE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; never the token itself."""

    id: str
    name: str
    source: str
    scopes: frozenset[Scope]
    strict: bool
    user_id: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether a client that presents it is let in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class _Known:
    client: Client
    until: datetime


class TokenDirectory:
    """Recognises tokens, from memory for a few seconds and from the database after that."""

    def __init__(
        self, database: Database, clock: Clock, run: Callable[[Callable[[], None]], object] | None = None
    ) -> None:
        """``run`` executes what need not be waited for; by default in a thread of its own."""
        self._database = database
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._run = run or ThreadPoolExecutor(max_workers=1, thread_name_prefix="token-use").submit

    def find(self, token: str) -> Client | None:
        """The client that presents the token; None if it is unknown, revoked or expired."""
        digest = sha256(token.encode("utf-8", "replace")).digest()
        known = self._known.get(digest)
        now = self._clock.now()
        if known is not None and now < known.until:
            return known.client
        return self._look_up(token, digest, now)

    def forget(self) -> None:
        """The next request of every client asks the database."""
        self._known = {}

    def _look_up(self, token: str, digest: bytes, now: datetime) -> Client | None:
        known_now = self._known  # a revocation in the meantime throws this one away
        known_now.pop(digest, None)
        if len(token) != _LENGTH or not token.startswith(PREFIX):
            return None
        with self._database.reading(0) as session:
            stored = stored_tokens.find_valid(session, digest.hex())
        if stored is None:
            return None
        client = _client(stored)
        if client.expires_at is not None and client.expires_at <= now:
            return None
        until = now + _FRESH
        known_now[digest] = _Known(client, min(until, client.expires_at or until))
        if stored.last_used_at is None or from_text(stored.last_used_at) <= now - _NOTE_EVERY:
            self._run(lambda: self._note_use(client, now))
        return client

    def _note_use(self, client: Client, now: datetime) -> None:
        try:
            with self._database.writing(client.tenant_id) as session:
                stored_tokens.note_use(session, client.token_id, to_text(now))
        except StoreUnavailable:
            logging.getLogger(__name__).warning("token.use_not_noted")  # the next minute tries again


class Tokens:
    """What administrators do with the tokens of a tenant."""

    def __init__(self, database: Database, clock: Clock, directory: TokenDirectory | None = None) -> None:
        self._database = database
        self._clock = clock
        self._directory = directory

    def create(
        self,
        tenant_id: int,
        source: str,
        name: str,
        *,
        scopes: Collection[Scope] = tuple(Scope),
        strict: bool = False,
        user_id: str | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[Token, str]:
        """A new token and its text, which is kept nowhere and cannot be shown again.

        ``strict`` turns every tolerance off; ``user_id`` is the user that ``/Me`` means. Raises NotThere for an
        unknown source or user, Refused for a source that nobody pushes to or an expiry in the past.
        """
        now = self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise Refused("the token would have expired before its first use")
        if not scopes:
            raise Refused("a token needs a scope: read, write or both")
        text = PREFIX + secrets.token_urlsafe(32)
        token_id = str(uuid4())
        with self._database.writing(tenant_id) as session:
            stored = stored_sources.find(session, source)
            if stored is None:
                raise NotThere(f"there is no source {source!r}; `scim-server source list` shows all")
            if stored.kind != "scim":
                raise Refused(f"{source!r} is a source of kind {stored.kind}; only sources of kind scim are pushed to")
            if user_id is not None and not stored_tokens.is_live_user(session, user_id):
                raise NotThere(f"there is no user with the id {user_id!r}")
            stored_tokens.add(
                session,
                id=token_id,
                source_id=stored.id,
                name=name,
                hash=sha256(text.encode()).hexdigest(),
                scopes=" ".join(sorted(scopes)),
                strict=strict,
                user_id=user_id,
                created_at=to_text(now),
                expires_at=to_text(expires_at) if expires_at else None,
            )
        return Token(token_id, name, source, frozenset(scopes), strict, user_id, now, expires_at, None, None), text

    def list(self, tenant_id: int) -> list[Token]:
        """Every token of the tenant, revoked ones too, the oldest first."""
        with self._database.reading(tenant_id) as session:
            return [_token(stored) for stored in stored_tokens.list_all(session)]

    def revoke(self, tenant_id: int, name_or_id: str) -> Token:
        """The token is worthless: here at once, in other processes within five seconds.

        Raises NotThere, and Refused where several valid tokens have that name.
        """
        now = self._clock.now()
        with self._database.writing(tenant_id) as session:
            tokens = [_token(stored) for stored in stored_tokens.list_all(session)]
            named = [token for token in tokens if name_or_id in (token.id, token.name) and token.revoked_at is None]
            if not named:
                raise NotThere(f"there is no valid token {name_or_id!r}; `scim-server token list` shows all")
            if len(named) > 1:
                ids = ", ".join(token.id for token in named)
                raise Refused(f"several tokens have the name {name_or_id!r}; give the id of one: {ids}")
            stored_tokens.revoke(session, named[0].id, to_text(now))
        if self._directory is not None:
            self._directory.forget()
        return self._revoked(tenant_id, named[0].id)

    def _revoked(self, tenant_id: int, token_id: str) -> Token:
        return next(token for token in self.list(tenant_id) if token.id == token_id)


def _client(stored: ValidToken) -> Client:
    return Client(
        tenant_id=stored.tenant_id,
        tenant_name=stored.tenant_name,
        source_id=stored.source_id,
        source_name=stored.source_name,
        source_rank=stored.source_rank,
        token_id=stored.token_id,
        token_name=stored.token_name,
        scopes=_scopes(stored.scopes),
        strict=bool(stored.strict),
        user_id=stored.user_id,
        expires_at=_time(stored.expires_at),
        tenant=tenant_settings(stored.tenant_settings),
        push=push_settings(stored.source_settings),
    )


def _token(stored: StoredToken) -> Token:
    return Token(
        id=stored.id,
        name=stored.name,
        source=stored.source,
        scopes=_scopes(stored.scopes),
        strict=bool(stored.strict),
        user_id=stored.user_id,
        created_at=from_text(stored.created_at),
        expires_at=_time(stored.expires_at),
        revoked_at=_time(stored.revoked_at),
        last_used_at=_time(stored.last_used_at),
    )


def _scopes(text: str) -> frozenset[Scope]:
    return frozenset(Scope(scope) for scope in text.split())


def _time(text: str | None) -> datetime | None:
    return from_text(text) if text else None
