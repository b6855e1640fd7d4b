"""Resources with their claims, index, members, links, duplicates and change log."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
    text,
)

from scim_server.store.tables.base import Number, Words, metadata


def _of_resource(column: str) -> ForeignKeyConstraint:
    """The column names a resource of the same tenant.

    With the tenant in the key the child's own indexes serve the check; a key on the number alone would scan the child.
    """
    return ForeignKeyConstraint(["tenant_id", column], ["resources.tenant_id", "resources.pk"], ondelete="CASCADE")


tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Words, nullable=False, unique=True),
    Column("settings", Words, nullable=False, server_default="{}"),
    Column("created_at", Words, nullable=False),
)

resources = Table(
    "resources",
    metadata,
    Column("pk", Number, primary_key=True, autoincrement=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id"), nullable=False),
    Column("type", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("state", Words, nullable=False, server_default="live"),
    Column("active", Boolean(create_constraint=False), nullable=False),
    Column("version", Integer, nullable=False),
    Column("display", Words, nullable=False, server_default=""),
    Column("created_at", Words, nullable=False),
    Column("modified_at", Words, nullable=False),
    Column("document", Words, nullable=False),
    Column("privileged", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("blocked", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("merged_into", Words),
    UniqueConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "pk"),
    CheckConstraint("state IN ('live', 'tombstone')", name="state"),
    Index(None, "tenant_id", "type", "state", "pk"),
    Index(None, "tenant_id", "type", "modified_at", "pk"),
    sqlite_autoincrement=True,  # a purged resource's number is never given again
)
"""``document`` is the wire form less members, groups and absolute references. ``display`` is what members show."""

attribute_values = Table(
    "attribute_values",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("resource_pk", Number, nullable=False),
    Column("attribute", Integer, nullable=False),
    Column("element", SmallInteger, nullable=False),
    Column("head", Words, nullable=False),
    Column("tail", Words, nullable=False, server_default=""),
    _of_resource("resource_pk"),
    PrimaryKeyConstraint("tenant_id", "resource_pk", "attribute", "element"),
    Index(None, "tenant_id", "attribute", "head", "resource_pk"),
    sqlite_with_rowid=False,
)
"""The index that filters and sorting use: one row for each value of a live resource, in comparison form.

``attribute`` is AttributeRef.number; ``element`` the position in a multi-valued attribute, otherwise 0. Each element of
a multi-valued complex attribute has a row under the attribute itself (head empty) beside those of its sub-attributes.
``head`` holds the first characters of the comparison form and ``tail`` the rest: a B-tree entry has a size limit.
"""

claims = Table(
    "claims",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("ns", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("resource_pk", Number, nullable=False),
    Column("role", Words, nullable=False),
    Column("norm_version", SmallInteger, nullable=False),
    _of_resource("resource_pk"),
    PrimaryKeyConstraint("tenant_id", "ns", "key"),
    Index(None, "tenant_id", "resource_pk"),
    sqlite_with_rowid=False,
)
"""The only place of uniqueness: who holds which normalised username, e-mail address or group name."""

members = Table(
    "members",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("group_pk", Number, nullable=False),
    Column("member_pk", Number, nullable=False),
    _of_resource("group_pk"),
    _of_resource("member_pk"),
    PrimaryKeyConstraint("tenant_id", "group_pk", "member_pk"),
    Index(None, "tenant_id", "member_pk", "group_pk"),
    sqlite_with_rowid=False,
)

counts = Table(
    "counts",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("type", Words, nullable=False),
    Column("live", Integer, nullable=False),
    PrimaryKeyConstraint("tenant_id", "type"),
    sqlite_with_rowid=False,
)
"""How many live resources there are, kept in step in the same transaction: counting 100,000 rows costs milliseconds."""

links = Table(
    "links",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("immutable_id", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("resource_pk", Number),
    Column("state", Words, nullable=False),
    Column("enabled", Boolean(create_constraint=False)),
    Column("origin", Words, nullable=False),
    Column("mapped", Words, nullable=False),
    Column("times", Words, nullable=False, server_default="{}"),
    Column("raw_hash", Words, nullable=False, server_default=""),
    Column("read_at", Words, nullable=False),
    Column("separated", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("copied", Boolean(create_constraint=False)),
    ForeignKeyConstraint(["tenant_id", "resource_pk"], ["resources.tenant_id", "resources.pk"]),
    PrimaryKeyConstraint("tenant_id", "source_id", "immutable_id"),
    CheckConstraint("state IN ('present', 'out_of_scope', 'deleted')", name="state"),
    # With state it answers alone; without, SQLite prefers the primary key and reads every link of the source.
    Index(None, "tenant_id", "resource_pk", "source_id", "state"),
    # Few rows, for the number of resources a source does not see.
    Index(
        "ix_links_deleted",
        "tenant_id",
        "source_id",
        "state",
        "resource_pk",
        sqlite_where=text("state = 'deleted'"),
        postgresql_where=text("state = 'deleted'"),
    ),
    sqlite_with_rowid=False,
)
"""What a source says of an object: ``mapped`` holds its attributes, ``times`` when each of them was learnt.

``copied``: Entra ID says that the object is a copy from Active Directory. ``separated``: an administrator took it off.
"""

anchors = Table(
    "anchors",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("kind", Words, nullable=False),
    Column("value", Words, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("immutable_id", Words, nullable=False),
    PrimaryKeyConstraint("tenant_id", "kind", "value", "source_id", "immutable_id"),
    Index(None, "tenant_id", "source_id", "immutable_id"),
    sqlite_with_rowid=False,
)

duplicates = Table(
    "duplicates",
    metadata,
    Column("tenant_id", Integer, nullable=False),
    Column("id", Words, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Column("immutable_id", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("resource_pk", Number),
    Column("ns", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("raw", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("holder_pk", Number),
    Column("holder_object", Words),
    Column("channel", Words, nullable=False),
    Column("mapped", Words, nullable=False),
    Column("status", Words, nullable=False, server_default="open"),
    Column("resolution", Words),
    Column("resolved_by", Words),
    Column("first_run", Words),
    Column("last_run", Words),
    Column("first_at", Words, nullable=False),
    Column("last_at", Words, nullable=False),
    Column("seen", Integer, nullable=False, server_default="1"),
    PrimaryKeyConstraint("tenant_id", "id"),
    CheckConstraint("status IN ('open', 'dismissed', 'resolved', 'cleared')", name="status"),
    Index(
        "uq_duplicates_open",
        "tenant_id",
        "source_id",
        "immutable_id",
        "ns",
        "key",
        unique=True,
        sqlite_where=text("status IN ('open', 'dismissed')"),
        postgresql_where=text("status IN ('open', 'dismissed')"),
    ),
    Index(None, "tenant_id", "status", "last_at"),
    Index(None, "tenant_id", "ns", "key"),
)
"""Objects withheld because another holds their value; ``mapped`` is what they wanted to be."""

changes = Table(
    "changes",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=True),
    Column("tenant_id", Integer, nullable=False),
    Column("resource_pk", Number, nullable=False),
    Column("resource_id", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("source_id", Integer),
    Column("actor", Words, nullable=False),
    Column("plan_id", Words),
    Column("request_id", Words),
    Column("before", Words, nullable=False),
    Column("after", Words, nullable=False),
    Column("at", Words, nullable=False),
    Index(None, "tenant_id", "resource_pk", "seq"),
    Index(None, "tenant_id", "at"),
    sqlite_autoincrement=True,
)
"""The audit trail: who changed what, through which channel, with the values before and after."""
