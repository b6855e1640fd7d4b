"""Built by migrations = built by models, on both databases, from any number of processes at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from scim_server.store import migration, migrations, revisions
from scim_server.store.engine import Database, StoreUnavailable
from scim_server.store.tables.base import metadata

CATALOG = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'",
    "postgresql": """
        SELECT table_name || '.' || column_name,
               concat_ws(' ', data_type, is_nullable, column_default, collation_name, identity_generation)
          FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        UNION ALL SELECT indexname, indexdef FROM pg_indexes
         WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'alembic%'
    """,
}


def catalog(engine: Engine) -> dict[str, Any]:
    """Every table, column, index and constraint with its definition in the database's own words."""
    with engine.connect() as connection:
        rows = connection.execute(text(CATALOG[engine.dialect.name])).all()
    return {name: sorted(re.split(r"[\s,()]+", definition)) for name, definition in rows}


def test_migrations_build_what_the_models_say(bare_database_url: str) -> None:
    migration.upgrade(bare_database_url)
    engine = create_engine(bare_database_url)
    migrated = catalog(engine)
    migration.downgrade(bare_database_url, "base")
    metadata.create_all(engine)
    modelled = catalog(engine)
    engine.dispose()
    assert migrated == modelled
    assert "claims" in migrated or "claims.key" in migrated


def test_alembic_finds_no_difference_after_an_upgrade(bare_database_url: str) -> None:
    migration.upgrade(bare_database_url)
    assert migration.differences(bare_database_url) == []


def test_a_difference_is_told_in_words(bare_database_url: str) -> None:
    migration.upgrade(bare_database_url)
    engine = create_engine(bare_database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_tokens_tenant_id_source_id"))
    engine.dispose()
    assert migration.differences(bare_database_url) == ["add_index ix_tokens_tenant_id_source_id"]


def test_an_empty_database_is_at_no_revision(bare_database_url: str) -> None:
    database = Database(bare_database_url)
    assert revisions.current(database) is None
    database.close()
    assert "needs" in migration.differences(bare_database_url)[0]


def test_a_database_is_current_after_its_upgrade_and_not_before(bare_database_url: str) -> None:
    database = Database(bare_database_url)
    assert not revisions.is_current(database)
    migration.upgrade(bare_database_url)
    assert revisions.is_current(database)
    database.close()


def test_upgrade_downgrade_upgrade_leaves_the_same_schema(bare_database_url: str) -> None:
    engine = create_engine(bare_database_url)
    migration.upgrade(bare_database_url)
    first = catalog(engine)
    migration.downgrade(bare_database_url, "base")
    assert catalog(engine) == {}
    assert migration.upgrade(bare_database_url)[-1] == revisions.newest()
    assert catalog(engine) == first
    engine.dispose()


def test_of_four_upgrades_at_once_one_does_the_work(bare_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migration.upgrade, [bare_database_url] * 4))
    assert sorted(bool(each) for each in applied) == [False, False, False, True]
    database = Database(bare_database_url)
    assert revisions.is_current(database)
    database.close()


def test_an_upgrade_that_fails_leaves_nothing_behind(bare_database_url: str) -> None:
    engine = create_engine(bare_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tokens (somebody_elses INTEGER)"))
    with pytest.raises(Exception, match="tokens"):
        migration.upgrade(bare_database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE tokens"))
    assert catalog(engine) == {}
    engine.dispose()
    assert migration.upgrade(bare_database_url)


def test_a_database_that_does_not_answer_is_told_from_one_that_is_empty() -> None:
    url = "postgresql+psycopg://postgres@127.0.0.1:9/scim"
    database = Database(url)
    assert not revisions.is_current(database)
    with pytest.raises(StoreUnavailable):
        revisions.current(database)
    with pytest.raises(StoreUnavailable):
        migration.upgrade(url)
    database.close()


def test_the_number_of_the_newest_file_is_the_revision_alembic_leads_to() -> None:
    heads = ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads()
    assert heads == [revisions.newest()]
