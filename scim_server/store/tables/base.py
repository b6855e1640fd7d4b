"""What every table shares: metadata with a naming convention, and column types that mean the same on both databases."""

from sqlalchemy import BigInteger, Integer, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite's rowid is an INTEGER; only that exact type numbers itself.
Number = BigInteger().with_variant(Integer(), "sqlite")

# Compared and sorted by code point on both databases; PostgreSQL's default collation would not.
# Times are such texts too: ISO 8601 in UTC with microseconds, as they go over the wire, sortable as they are.
Words = Text().with_variant(Text(collation="C"), "postgresql")
