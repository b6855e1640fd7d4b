"""Jobs and schedules: what is to be done in the background, how far it is, and when it is due again."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    text,
)

from scim_server.store.tables.base import Words, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("plan_id", Words, nullable=False),
    Column("request", Words, nullable=False),
    Column("actor", Words, nullable=False),
    Column("status", Words, nullable=False),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer),
    Column("cancel_requested", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("due_at", Words, nullable=False),
    Column("lease_until", Words),
    Column("error", Words, nullable=False, server_default=""),
    Column("created_at", Words, nullable=False),
    Column("started_at", Words),
    Column("finished_at", Words),
    PrimaryKeyConstraint("tenant_id", "id"),
    CheckConstraint("status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="status"),
    Index(None, "tenant_id", "source_id", "created_at"),
    Index(None, "tenant_id", "plan_id"),
    Index(
        "ix_jobs_unfinished",
        "due_at",
        sqlite_where=text("finished_at IS NULL"),
        postgresql_where=text("finished_at IS NULL"),
    ),
    sqlite_with_rowid=False,
)
"""``request`` is JSON text; ``attempt`` grows with every claim and tells a worker from its successor."""

schedules = Table(
    "schedules",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("rule", Words, nullable=False),
    Column("next_run_at", Words, nullable=False),
    PrimaryKeyConstraint("tenant_id", "source_id"),
    sqlite_with_rowid=False,
)
"""``rule`` is text such as "daily 02:30"; whoever moves ``next_run_at`` on starts the run."""
