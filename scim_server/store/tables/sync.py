"""Synchronization: staged observations, plans with their items, retries, leases and what sources tell of references."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    text,
)

from scim_server.store.tables.base import Words, metadata

plans = Table(
    "plans",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("id", Words, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("mode", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("config_hash", Words, nullable=False),
    Column("mapping_hash", Words, nullable=False, server_default=""),
    Column("scope", Words, nullable=False, server_default=""),
    Column("is_full", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("is_complete", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("cursor_before", Words),
    Column("cursor_next", Words),
    Column("objects_read", Integer, nullable=False, server_default="0"),
    Column("content_fingerprint", Words, nullable=False, server_default=""),
    Column("fingerprint", Words, nullable=False, server_default=""),
    Column("counts", Words, nullable=False, server_default="{}"),
    Column("blocked", Words, nullable=False, server_default="[]"),
    Column("reason", Words, nullable=False, server_default=""),
    Column("approved_by", Words),
    Column("applied_by", Words),
    Column("removals", Integer, nullable=False, server_default="0"),
    Column("created_at", Words, nullable=False),
    Column("expires_at", Words),
    Column("finished_at", Words),
    PrimaryKeyConstraint("tenant_id", "id"),
    Index(None, "tenant_id", "source_id", "created_at"),
    Index(None, "tenant_id", "created_at"),
)
"""``counts`` holds those of users and groups; ``removals`` what the run took away, for the limit of a day."""

observations = Table(
    "observations",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("plan_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("immutable_id", Words, nullable=False),
    Column("evidence", Words, nullable=False),
    Column("gone", SmallInteger, nullable=False),
    Column("origin", Words, nullable=False),
    Column("payload", Words, nullable=False),
    Column("hash", Words, nullable=False),
    Column("read_at", Words, nullable=False),
    PrimaryKeyConstraint("tenant_id", "plan_id", "immutable_id"),
    sqlite_with_rowid=False,
)
"""What a preview has read, one row for each object; ``origin`` is read, look_up, needed or retry."""

plan_items = Table(
    "plan_items",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("plan_id", Words, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("component", Integer, nullable=False),
    Column("phase", SmallInteger, nullable=False),
    Column("op", Words, nullable=False),
    Column("word", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("source_id", Integer, nullable=False),
    Column("immutable_id", Words, nullable=False),
    Column("resource_id", Words),
    Column("display", Words, nullable=False),
    Column("base_version", Integer),
    Column("before", Words),
    Column("after", Words),
    Column("links", Words, nullable=False),
    Column("claims_drop", Words, nullable=False),
    Column("claims_take", Words, nullable=False),
    Column("conflicts", Words, nullable=False),
    Column("told", Words, nullable=False),
    Column("reasons", Words, nullable=False),
    Column("deferred", Words, nullable=False),
    Column("removal", Boolean(create_constraint=False), nullable=False),
    Column("renames", Boolean(create_constraint=False), nullable=False),
    Column("proof", Words, nullable=False),
    Column("trace", Words, nullable=False),
    Column("status", Words, nullable=False, server_default="pending"),
    Column("error", Words),
    PrimaryKeyConstraint("tenant_id", "plan_id", "seq"),
    CheckConstraint("status IN ('pending', 'done', 'stale', 'error', 'skipped')", name="status"),
    Index(None, "tenant_id", "plan_id", "status", "phase", "component", "seq"),
    Index(None, "tenant_id", "plan_id", "resource_id"),
    sqlite_with_rowid=False,
)
"""What a plan does to whom, with both states and the reasons in words; ``word`` is how it counts.

``links`` are the source's link as it will be with its anchors, ``told`` is the observation behind the item,
``proof`` the evidence for a removal, which is looked up again before it is carried out.
"""

retries = Table(
    "retries",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("immutable_id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Words, nullable=False),
    Column("payload", Words, nullable=False),
    Column("hash", Words, nullable=False),
    Column("read_at", Words, nullable=False),
    PrimaryKeyConstraint("tenant_id", "source_id", "immutable_id"),
    sqlite_with_rowid=False,
)
"""Objects that were withheld, failed or were not selected: cursors move on, so what was read of them is kept."""

leases = Table(
    "leases",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("plan_id", Words, nullable=False),
    Column("token", Integer, nullable=False),
    Column("heartbeat_at", Words, nullable=False),
    PrimaryKeyConstraint("tenant_id", "source_id"),
    sqlite_with_rowid=False,
)
"""Which run holds a source; the token grows with every holder, and every transaction of a run checks it."""

chosen = Table(
    "chosen",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("immutable_id", Words, nullable=False),
    PrimaryKeyConstraint("tenant_id", "source_id", "immutable_id"),
    sqlite_with_rowid=False,
)
"""The objects that a source with import mode "chosen" brings in."""

told_references = Table(
    "told_references",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("owner", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("target", Words, nullable=False),
    Column("resolved", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("tenant_id", "source_id", "owner", "role", "target"),
    Index(
        "ix_told_references_pending",
        "tenant_id",
        "source_id",
        "role",
        "owner",
        sqlite_where=text("NOT resolved"),
        postgresql_where=text("NOT resolved"),
    ),
    sqlite_with_rowid=False,
)
"""Members and managers as a source tells them, by immutable ids; pending until the other end is linked."""
