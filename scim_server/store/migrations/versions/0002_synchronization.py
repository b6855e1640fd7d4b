"""Synchronization: staged observations, plans, retries, leases, told references; what links know of copies."""

import sqlalchemy as sa
from alembic import op

from scim_server.store.tables.base import Words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("links", sa.Column("copied", sa.Boolean(create_constraint=False)))

    op.create_table(
        "plans",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("mode", Words, nullable=False),
        sa.Column("status", Words, nullable=False),
        sa.Column("actor", Words, nullable=False),
        sa.Column("config_hash", Words, nullable=False),
        sa.Column("mapping_hash", Words, server_default="", nullable=False),
        sa.Column("scope", Words, server_default="", nullable=False),
        sa.Column("is_full", sa.Boolean(create_constraint=False), server_default=sa.text("false"), nullable=False),
        sa.Column("is_complete", sa.Boolean(create_constraint=False), server_default=sa.text("false"), nullable=False),
        sa.Column("cursor_before", Words),
        sa.Column("cursor_next", Words),
        sa.Column("objects_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("content_fingerprint", Words, server_default="", nullable=False),
        sa.Column("fingerprint", Words, server_default="", nullable=False),
        sa.Column("counts", Words, server_default="{}", nullable=False),
        sa.Column("blocked", Words, server_default="[]", nullable=False),
        sa.Column("reason", Words, server_default="", nullable=False),
        sa.Column("approved_by", Words),
        sa.Column("applied_by", Words),
        sa.Column("removals", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.Column("expires_at", Words),
        sa.Column("finished_at", Words),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_plans_source_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_plans_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plans"),
    )
    op.create_index("ix_plans_tenant_id_created_at", "plans", ["tenant_id", "created_at"])
    op.create_index("ix_plans_tenant_id_source_id_created_at", "plans", ["tenant_id", "source_id", "created_at"])

    op.create_table(
        "observations",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("immutable_id", Words, nullable=False),
        sa.Column("evidence", Words, nullable=False),
        sa.Column("gone", sa.SmallInteger(), nullable=False),
        sa.Column("origin", Words, nullable=False),
        sa.Column("payload", Words, nullable=False),
        sa.Column("hash", Words, nullable=False),
        sa.Column("read_at", Words, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "plan_id", "immutable_id", name="pk_observations"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "plan_items",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", Words, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("component", sa.Integer(), nullable=False),
        sa.Column("phase", sa.SmallInteger(), nullable=False),
        sa.Column("op", Words, nullable=False),
        sa.Column("word", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("immutable_id", Words, nullable=False),
        sa.Column("resource_id", Words),
        sa.Column("display", Words, nullable=False),
        sa.Column("base_version", sa.Integer()),
        sa.Column("before", Words),
        sa.Column("after", Words),
        sa.Column("links", Words, nullable=False),
        sa.Column("claims_drop", Words, nullable=False),
        sa.Column("claims_take", Words, nullable=False),
        sa.Column("conflicts", Words, nullable=False),
        sa.Column("told", Words, nullable=False),
        sa.Column("reasons", Words, nullable=False),
        sa.Column("deferred", Words, nullable=False),
        sa.Column("removal", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("renames", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("proof", Words, nullable=False),
        sa.Column("trace", Words, nullable=False),
        sa.Column("status", Words, server_default="pending", nullable=False),
        sa.Column("error", Words),
        sa.PrimaryKeyConstraint("tenant_id", "plan_id", "seq", name="pk_plan_items"),
        sa.CheckConstraint("status IN ('pending', 'done', 'stale', 'error', 'skipped')", name="status"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_plan_items_tenant_id_plan_id_resource_id", "plan_items", ["tenant_id", "plan_id", "resource_id"]
    )
    op.create_index(
        "ix_plan_items_tenant_id_plan_id_status_phase_component_seq",
        "plan_items",
        ["tenant_id", "plan_id", "status", "phase", "component", "seq"],
    )

    op.create_table(
        "retries",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("immutable_id", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("reason", Words, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Words, nullable=False),
        sa.Column("payload", Words, nullable=False),
        sa.Column("hash", Words, nullable=False),
        sa.Column("read_at", Words, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_retries_source_id"),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "immutable_id", name="pk_retries"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "leases",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", Words, nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("heartbeat_at", Words, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_leases_source_id"),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", name="pk_leases"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "chosen",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("immutable_id", Words, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_chosen_source_id"),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "immutable_id", name="pk_chosen"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "told_references",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("owner", Words, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.Column("target", Words, nullable=False),
        sa.Column("resolved", sa.Boolean(create_constraint=False), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_told_references_source_id"),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "owner", "role", "target", name="pk_told_references"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_told_references_pending",
        "told_references",
        ["tenant_id", "source_id", "role", "owner"],
        sqlite_where=sa.text("NOT resolved"),
        postgresql_where=sa.text("NOT resolved"),
    )


def downgrade() -> None:
    """Take the change back."""
    for table in (
        "told_references",
        "chosen",
        "leases",
        "retries",
        "plan_items",
        "observations",
        "plans",
    ):
        op.drop_table(table)
    op.drop_column("links", "copied")
