"""The first tables: tenants, resources with all that hangs on them, sources, tokens, schemas."""

import sqlalchemy as sa
from alembic import op

from scim_server.store.tables.base import Number, Words

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "changes",
        sa.Column("seq", Number, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("resource_pk", Number, nullable=False),
        sa.Column("resource_id", Words, nullable=False),
        sa.Column("type", Words, nullable=False),
        sa.Column("action", Words, nullable=False),
        sa.Column("channel", Words, nullable=False),
        sa.Column("source_id", sa.Integer()),
        sa.Column("actor", Words, nullable=False),
        sa.Column("plan_id", Words),
        sa.Column("request_id", Words),
        sa.Column("before", Words, nullable=False),
        sa.Column("after", Words, nullable=False),
        sa.Column("at", Words, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_tenant_id_at", "changes", ["tenant_id", "at"])
    op.create_index("ix_changes_tenant_id_resource_pk_seq", "changes", ["tenant_id", "resource_pk", "seq"])

    op.create_table(
        "counts",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type", Words, nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "type", name="pk_counts"),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("settings", Words, server_default="{}", nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("name", name="uq_tenants_name"),
    )

    op.create_table(
        "resources",
        sa.Column("pk", Number, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("type", Words, nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("state", Words, server_default="live", nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("display", Words, server_default="", nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.Column("modified_at", Words, nullable=False),
        sa.Column("document", Words, nullable=False),
        sa.Column("privileged", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("blocked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("merged_into", Words),
        sa.CheckConstraint("state IN ('live', 'tombstone')", name=op.f("ck_resources_state")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_resources_tenant_id"),
        sa.PrimaryKeyConstraint("pk", name="pk_resources"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_resources_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "pk", name="uq_resources_tenant_id_pk"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_resources_tenant_id_type_modified_at_pk", "resources", ["tenant_id", "type", "modified_at", "pk"]
    )
    op.create_index("ix_resources_tenant_id_type_state_pk", "resources", ["tenant_id", "type", "state", "pk"])

    op.create_table(
        "schemas",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("resource_type", Words, nullable=False),
        sa.Column("document", Words, nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_schemas_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", "resource_type", name="pk_schemas"),
    )

    op.create_table(
        "sources",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("settings", Words, server_default="{}", nullable=False),
        sa.Column("secrets", Words, server_default="", nullable=False),
        sa.Column("cursor", Words),
        sa.Column("scope", Words, server_default="", nullable=False),
        sa.Column("created_at", Words, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_sources_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_sources_tenant_id_name"),
        sqlite_autoincrement=True,
    )

    op.create_table(
        "anchors",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("value", Words, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("immutable_id", Words, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_anchors_source_id"),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "value", "source_id", "immutable_id", name="pk_anchors"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_anchors_tenant_id_source_id_immutable_id", "anchors", ["tenant_id", "source_id", "immutable_id"]
    )

    op.create_table(
        "attribute_values",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("resource_pk", Number, nullable=False),
        sa.Column("attribute", sa.Integer(), nullable=False),
        sa.Column("element", sa.SmallInteger(), nullable=False),
        sa.Column("head", Words, nullable=False),
        sa.Column("tail", Words, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_pk"],
            ["resources.tenant_id", "resources.pk"],
            name="fk_attribute_values_tenant_id_resource_pk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "resource_pk", "attribute", "element", name="pk_attribute_values"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_attribute_values_tenant_id_attribute_head_resource_pk",
        "attribute_values",
        ["tenant_id", "attribute", "head", "resource_pk"],
    )

    op.create_table(
        "claims",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("ns", Words, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("resource_pk", Number, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.Column("norm_version", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_pk"],
            ["resources.tenant_id", "resources.pk"],
            name="fk_claims_tenant_id_resource_pk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "ns", "key", name="pk_claims"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_claims_tenant_id_resource_pk", "claims", ["tenant_id", "resource_pk"])

    op.create_table(
        "duplicates",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("immutable_id", Words, nullable=False),
        sa.Column("type", Words, nullable=False),
        sa.Column("resource_pk", Number),
        sa.Column("ns", Words, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("raw", Words, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("holder_pk", Number),
        sa.Column("holder_object", Words),
        sa.Column("channel", Words, nullable=False),
        sa.Column("mapped", Words, nullable=False),
        sa.Column("status", Words, server_default="open", nullable=False),
        sa.Column("resolution", Words),
        sa.Column("resolved_by", Words),
        sa.Column("first_run", Words),
        sa.Column("last_run", Words),
        sa.Column("first_at", Words, nullable=False),
        sa.Column("last_at", Words, nullable=False),
        sa.Column("seen", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('open', 'dismissed', 'resolved', 'cleared')", name=op.f("ck_duplicates_status")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_duplicates_source_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_duplicates"),
    )
    op.create_index("ix_duplicates_tenant_id_ns_key", "duplicates", ["tenant_id", "ns", "key"])
    op.create_index("ix_duplicates_tenant_id_status_last_at", "duplicates", ["tenant_id", "status", "last_at"])
    op.create_index(
        "uq_duplicates_open",
        "duplicates",
        ["tenant_id", "source_id", "immutable_id", "ns", "key"],
        unique=True,
        sqlite_where=sa.text("status IN ('open', 'dismissed')"),
        postgresql_where=sa.text("status IN ('open', 'dismissed')"),
    )

    op.create_table(
        "links",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("immutable_id", Words, nullable=False),
        sa.Column("type", Words, nullable=False),
        sa.Column("resource_pk", Number),
        sa.Column("state", Words, nullable=False),
        sa.Column("enabled", sa.Boolean()),
        sa.Column("origin", Words, nullable=False),
        sa.Column("mapped", Words, nullable=False),
        sa.Column("times", Words, server_default="{}", nullable=False),
        sa.Column("raw_hash", Words, server_default="", nullable=False),
        sa.Column("read_at", Words, nullable=False),
        sa.Column("separated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("state IN ('present', 'out_of_scope', 'deleted')", name=op.f("ck_links_state")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "resource_pk"],
            ["resources.tenant_id", "resources.pk"],
            name="fk_links_tenant_id_resource_pk",
        ),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_links_source_id"),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "immutable_id", name="pk_links"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_links_tenant_id_resource_pk_source_id_state", "links", ["tenant_id", "resource_pk", "source_id", "state"]
    )
    op.create_index(
        "ix_links_deleted",
        "links",
        ["tenant_id", "source_id", "state", "resource_pk"],
        sqlite_where=sa.text("state = 'deleted'"),
        postgresql_where=sa.text("state = 'deleted'"),
    )

    op.create_table(
        "members",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("group_pk", Number, nullable=False),
        sa.Column("member_pk", Number, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_pk"],
            ["resources.tenant_id", "resources.pk"],
            name="fk_members_tenant_id_group_pk",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_pk"],
            ["resources.tenant_id", "resources.pk"],
            name="fk_members_tenant_id_member_pk",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_pk", "member_pk", name="pk_members"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_members_tenant_id_member_pk_group_pk", "members", ["tenant_id", "member_pk", "group_pk"])

    op.create_table(
        "tokens",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("id", Words, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("hash", Words, nullable=False),
        sa.Column("scopes", Words, nullable=False),
        sa.Column("strict", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("user_id", Words),
        sa.Column("created_at", Words, nullable=False),
        sa.Column("expires_at", Words),
        sa.Column("revoked_at", Words),
        sa.Column("last_used_at", Words),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_tokens_source_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_tokens_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_tokens"),
        sa.UniqueConstraint("hash", name="uq_tokens_hash"),
    )
    op.create_index("ix_tokens_tenant_id_source_id", "tokens", ["tenant_id", "source_id"])


def downgrade() -> None:
    """Take the change back."""
    for table in (
        "tokens",
        "members",
        "links",
        "duplicates",
        "claims",
        "attribute_values",
        "anchors",
        "sources",
        "schemas",
        "resources",
        "tenants",
        "counts",
        "changes",
    ):
        op.drop_table(table)
