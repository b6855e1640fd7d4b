"""The SQL of a filter finds exactly the resources whose documents it matches, on both databases."""

from collections.abc import Iterator

import pytest

from scim_server.scim.filters.match import matches
from scim_server.scim.filters.parse import parse_filter
from scim_server.store.engine import Database, Session
from scim_server.store.reads.listing import Query, find
from tests.store.filter_world import GROUP, REGISTRY, USER, World
from tests.store.population import VIEWER

FILTERS = 360
"""Random filters for users, and half as many for groups, on each database."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def found_ids(session: Session, text: str, *types: object) -> set[str]:
    query = Query(resource_types=types, viewer=VIEWER, filter=text, count=1000)  # type: ignore[arg-type]  # ResourceTypes
    return {row.id for row in find(session, query).rows}


def test_sql_and_documents_agree_on_every_random_filter(database: Database) -> None:
    world = World(seed=20261121)
    world.store(database)
    with database.reading(1) as session:
        for resource_type, documents, count in ((USER, world.users, FILTERS), (GROUP, world.groups, FILTERS // 2)):
            some, none = 0, 0
            for text in world.filters(resource_type, count):
                node = parse_filter(text, resource_type)
                expected = {document["id"] for document in documents if matches(node, document)}
                assert found_ids(session, text, resource_type) == expected, text
                some += 0 < len(expected) < len(documents)
                none += not expected
            assert some > count / 4, "the filters tell nothing apart"
            assert none < count * 3 / 4


def test_the_value_of_a_literal_never_decides_the_statement(database: Database) -> None:
    world = World(seed=7)
    world.store(database)
    with database.reading(1) as session:
        for value in ("alpha", "x" * 128, "x" * 129, "", "É", "50%", "\U0010ffff", "\U0010ffff" * 130, "\ud7ff"):
            for operator in ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"):
                text = f'title {operator} "{value}"'
                node = parse_filter(text, USER)
                expected = {user["id"] for user in world.users if matches(node, user)}
                assert found_ids(session, text, USER) == expected, text


def test_wildcards_of_like_are_plain_characters(database: Database) -> None:
    world = World(seed=1)
    for user, title in zip(world.users, ("50%", "50 percent", "a_b", "axb", "back\\slash", "[abc]", "*"), strict=False):
        user["title"] = title
    for user in world.users[7:]:
        user.pop("title", None)
    world.store(database)
    with database.reading(1) as session:
        assert found_ids(session, 'title co "%"', USER) == {"u0"}
        assert found_ids(session, 'title sw "a_"', USER) == {"u2"}
        assert found_ids(session, 'title ew "\\\\slash"', USER) == {"u4"}
        assert found_ids(session, 'title sw "["', USER) == {"u5"}
        assert found_ids(session, 'title eq "*"', USER) == {"u6"}


def test_a_search_over_both_types_takes_an_attribute_a_type_lacks_as_unassigned(database: Database) -> None:
    world = World(seed=2)
    world.store(database)
    everything = {each["id"] for each in (*world.users, *world.groups)}
    first = world.users[0]["userName"].replace("\\", "\\\\").replace('"', '\\"')
    with database.reading(1) as session:
        assert found_ids(session, f'userName eq "{first}"', USER, GROUP) == {"u0"}
        groups = {group["id"] for group in world.groups}
        assert found_ids(session, "not (userName pr)", USER, GROUP) == groups
        assert found_ids(session, "userName pr or members pr or displayName pr", USER, GROUP) == everything
        assert found_ids(session, "emails ne null", *REGISTRY.types) == {u["id"] for u in world.users if "emails" in u}
        assert found_ids(session, 'emails[type eq "zzz"].value ne "x"', *REGISTRY.types) == everything


def test_two_value_paths_may_be_fulfilled_by_different_elements(database: Database) -> None:
    world = World(seed=3)
    for number, user in enumerate(world.users):
        user["emails"] = [{"value": "a", "type": "work"}] + ([{"value": "b", "type": "home"}] if number < 3 else [])
    world.store(database)
    with database.reading(1) as session:
        assert found_ids(session, 'emails[type eq "work"] and emails[type eq "home"]', USER) == {"u0", "u1", "u2"}
        assert found_ids(session, 'emails[type eq "work" and type eq "home"]', USER) == set()
        assert found_ids(session, 'not (emails[type eq "home"])', USER) == {f"u{n}" for n in range(3, 40)}


def test_the_deepest_and_the_longest_allowed_filter_run(database: Database) -> None:
    world = World(seed=4)
    world.store(database)
    deep = "title pr"
    for level in range(31):
        deep = f"({deep}) {'and' if level % 2 else 'or'} active pr" if level % 3 else f"not ({deep} or nickName pr)"
    long = " or ".join(f'emails[type eq "t{n}"].value eq "v{n}"' for n in range(60))
    chain = " or ".join(["title pr"] * 150)
    with database.reading(1) as session:
        for text in (deep, long, chain):
            node = parse_filter(text, USER)
            assert found_ids(session, text, USER) == {user["id"] for user in world.users if matches(node, user)}, text
