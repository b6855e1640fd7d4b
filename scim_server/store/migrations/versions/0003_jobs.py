"""Jobs and schedules."""

import sqlalchemy as sa
from alembic import op

from scim_server.store.tables.base import Words

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "jobs",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", Words, nullable=False),
        sa.Column("request", Words, nullable=False),
        sa.Column("actor", Words, nullable=False),
        sa.Column("status", Words, nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column(
            "cancel_requested", sa.Boolean(create_constraint=False), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("crashes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", Words, nullable=False),
        sa.Column("lease_until", Words),
        sa.Column("error", Words, server_default="", nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.Column("started_at", Words),
        sa.Column("finished_at", Words),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_jobs_source_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_jobs_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_jobs"),
        sa.CheckConstraint("status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="status"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_jobs_tenant_id_source_id_created_at", "jobs", ["tenant_id", "source_id", "created_at"])
    op.create_index("ix_jobs_tenant_id_plan_id", "jobs", ["tenant_id", "plan_id"])
    op.create_index(
        "ix_jobs_unfinished",
        "jobs",
        ["due_at"],
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )

    op.create_table(
        "schedules",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("rule", Words, nullable=False),
        sa.Column("next_run_at", Words, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_schedules_source_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_schedules_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", name="pk_schedules"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("schedules")
    op.drop_table("jobs")
