"""Sources, tokens and run-time schemas."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint, text

from scim_server.store.tables.base import Words, metadata

sources = Table(
    "sources",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("name", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("settings", Words, nullable=False, server_default="{}"),
    Column("secrets", Words, nullable=False, server_default=""),
    Column("cursor", Words),
    Column("scope", Words, nullable=False, server_default=""),
    Column("created_at", Words, nullable=False),
    UniqueConstraint("tenant_id", "name"),
    sqlite_autoincrement=True,
)
"""``kind`` is scim, local, active-directory, entra or sample; ``secrets`` is sealed text, never a plain one."""

tokens = Table(
    "tokens",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("id", Words, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("name", Words, nullable=False),
    Column("hash", Words, nullable=False, unique=True),
    Column("scopes", Words, nullable=False),
    Column("strict", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("user_id", Words),
    Column("created_at", Words, nullable=False),
    Column("expires_at", Words),
    Column("revoked_at", Words),
    Column("last_used_at", Words),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index(None, "tenant_id", "source_id"),
)
"""``hash`` is the SHA-256 of the token; the token itself is shown once and kept nowhere."""

schemas = Table(
    "schemas",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("id", Words, nullable=False),
    Column("resource_type", Words, nullable=False),
    Column("document", Words, nullable=False),
    Column("created_at", Words, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id", "resource_type"),
)
"""Extension schemas added at run time, as RFC 7643 section 7 documents."""
