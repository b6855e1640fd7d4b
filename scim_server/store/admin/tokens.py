"""Statements about bearer tokens."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from scim_server.store.engine import Session
from scim_server.store.statements import Statement
from scim_server.store.tables.administration import sources, tokens
from scim_server.store.tables.identities import resources, tenants

_INSERTED = ("tenant_id", "id", "source_id", "name", "hash", "scopes", "strict", "user_id", "created_at", "expires_at")
_INSERT = Statement(insert(tokens).values({column: bindparam(column) for column in _INSERTED}))
_ALL = Statement(
    select(
        tokens.c.id,
        tokens.c.name,
        sources.c.name,
        tokens.c.scopes,
        tokens.c.strict,
        tokens.c.user_id,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.revoked_at,
        tokens.c.last_used_at,
    )
    .join(sources, sources.c.id == tokens.c.source_id)
    .where(tokens.c.tenant_id == bindparam("tenant"))
    .order_by(tokens.c.created_at, tokens.c.id)
)
_VALID = Statement(
    select(
        tokens.c.tenant_id,
        tenants.c.name,
        tenants.c.settings,
        sources.c.id,
        sources.c.name,
        sources.c.rank,
        sources.c.settings,
        tokens.c.id,
        tokens.c.name,
        tokens.c.scopes,
        tokens.c.strict,
        tokens.c.user_id,
        tokens.c.expires_at,
        tokens.c.last_used_at,
    )
    .join(sources, sources.c.id == tokens.c.source_id)
    .join(tenants, tenants.c.id == tokens.c.tenant_id)
    .where(tokens.c.hash == bindparam("hash"), tokens.c.revoked_at.is_(None))
)
_REVOKE = Statement(
    update(tokens)
    .where(
        tokens.c.tenant_id == bindparam("tenant"), tokens.c.id == bindparam("token_id"), tokens.c.revoked_at.is_(None)
    )
    .values(revoked_at=bindparam("at"))
)
_USED = Statement(
    update(tokens)
    .where(
        tokens.c.tenant_id == bindparam("tenant"),
        tokens.c.id == bindparam("token_id"),
        or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < bindparam("at")),
    )
    .values(last_used_at=bindparam("at"))
)
_LIVE_USER = Statement(
    select(resources.c.pk).where(
        resources.c.tenant_id == bindparam("tenant"),
        resources.c.id == bindparam("user_id"),
        resources.c.type == "User",
        resources.c.state == "live",
    )
)


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A row of ``tokens`` without its hash; ``source`` is the source's name, times are texts."""

    id: str
    name: str
    source: str
    scopes: str
    strict: bool
    user_id: str | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


@dataclass(frozen=True, slots=True)
class ValidToken:
    """A token that is not revoked, with its tenant and source; ``*_settings`` are JSON texts."""

    tenant_id: int
    tenant_name: str
    tenant_settings: str
    source_id: int
    source_name: str
    source_rank: int
    source_settings: str
    token_id: str
    token_name: str
    scopes: str
    strict: bool
    user_id: str | None
    expires_at: str | None
    last_used_at: str | None


def add(session: Session, **values: Any) -> None:
    """The token is stored; ``values`` are the columns of the table but the tenant and the later times."""
    session.run(_INSERT, **values)


def list_all(session: Session) -> list[StoredToken]:
    """Every token of the tenant, revoked ones too, the oldest first."""
    return [StoredToken(*row) for row in session.all(_ALL)]


def find_valid(session: Session, token_hash: str) -> ValidToken | None:
    """The unrevoked token with that hash in any tenant: only after this is the tenant of a request known."""
    row = session.one(_VALID, hash=token_hash)
    return ValidToken(*row) if row else None


def revoke(session: Session, token_id: str, at: str) -> bool:
    """The token is revoked; False if it was not there or had been revoked before."""
    return session.run(_REVOKE, token_id=token_id, at=at) > 0


def note_use(session: Session, token_id: str, at: str) -> None:
    """The token was used at that time; an earlier time never replaces a later one."""
    session.run(_USED, token_id=token_id, at=at)


def is_live_user(session: Session, user_id: str) -> bool:
    """Whether the tenant has such a user."""
    return session.one(_LIVE_USER, user_id=user_id) is not None
