"""The console: administrators, their sessions, the link of the first start, and sign-ins that failed."""

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table

from scim_server.store.tables.base import Number, Words, metadata

administrators = Table(
    "administrators",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("id", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("name_key", Words, nullable=False, unique=True),
    Column("password_hash", Words, nullable=False),
    Column("role", Words, nullable=False, server_default="administrator"),
    Column("created_at", Words, nullable=False),
    Column("last_sign_in_at", Words),
    PrimaryKeyConstraint("tenant_id", "id"),
)
"""``password_hash`` is Argon2id, or empty for one who signs in elsewhere; ``name_key`` is the comparison form."""

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("id", Words, nullable=False),
    Column("administrator_id", Words, nullable=False),
    Column("hash", Words, nullable=False, unique=True),
    Column("address", Words, nullable=False),
    Column("browser", Words, nullable=False),
    Column("created_at", Words, nullable=False),
    Column("last_seen_at", Words, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "administrator_id"], ["administrators.tenant_id", "administrators.id"], ondelete="CASCADE"
    ),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index(None, "tenant_id", "administrator_id"),
)
"""``hash`` is the SHA-256 of what the browser's cookie carries; a session without row has ended."""

first_starts = Table(
    "first_starts",
    metadata,
    Column("hash", Words, nullable=False, primary_key=True),
    Column("created_at", Words, nullable=False),
)
"""The link that makes the first administrator; a new start replaces it, and its use removes it."""

failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("name_key", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("at", Words, nullable=False),
    Index(None, "name_key", "at"),
    Index(None, "address", "at"),
)
"""Counted here and not in memory, so that several processes count together."""
