"""Administrators of the console and their sessions."""

import sqlalchemy as sa
from alembic import op

from scim_server.store.tables.base import Number, Words

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "administrators",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("name_key", Words, nullable=False),
        sa.Column("password_hash", Words, nullable=False),
        sa.Column("role", Words, server_default="administrator", nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.Column("last_sign_in_at", Words),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_administrators_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_administrators"),
        sa.UniqueConstraint("name_key", name="uq_administrators_name_key"),
    )
    op.create_table(
        "console_sessions",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("administrator_id", Words, nullable=False),
        sa.Column("hash", Words, nullable=False),
        sa.Column("address", Words, nullable=False),
        sa.Column("browser", Words, nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.Column("last_seen_at", Words, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "administrator_id"],
            ["administrators.tenant_id", "administrators.id"],
            name="fk_console_sessions_tenant_id_administrator_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_console_sessions"),
        sa.UniqueConstraint("hash", name="uq_console_sessions_hash"),
    )
    op.create_index(
        "ix_console_sessions_tenant_id_administrator_id", "console_sessions", ["tenant_id", "administrator_id"]
    )
    op.create_table(
        "first_starts",
        sa.Column("hash", Words, nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_first_starts"),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("id", Number, autoincrement=True, nullable=False),
        sa.Column("name_key", Words, nullable=False),
        sa.Column("address", Words, nullable=False),
        sa.Column("at", Words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_failed_sign_ins"),
    )
    op.create_index("ix_failed_sign_ins_name_key_at", "failed_sign_ins", ["name_key", "at"])
    op.create_index("ix_failed_sign_ins_address_at", "failed_sign_ins", ["address", "at"])


def downgrade() -> None:
    """Take the change back."""
    for table in ("failed_sign_ins", "first_starts", "console_sessions", "administrators"):
        op.drop_table(table)
