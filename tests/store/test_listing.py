"""Pages of resources: complete, stable, by index and by cursor, and no dearer when there are more of them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_server.scim.errors import ExpiredCursor, InvalidCursor, InvalidFilter, InvalidValue
from scim_server.scim.filters.tokens import tokens
from scim_server.scim.filters.tree import Literal
from scim_server.store.engine import Database
from scim_server.store.filter_operators import bound
from scim_server.store.reads.cursors import Cursors, Position
from scim_server.store.reads.listing import Listing, Query, find
from scim_server.store.reads.segments import Shape, listed
from scim_server.store.statistics import write_statistics
from tests.store.population import REGISTRY, VIEWER, Population

USER, GROUP = REGISTRY.user, REGISTRY.group


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cursors(clock: Clock) -> Cursors:
    return Cursors(("a key of at least thirty-two characters",), timeout=600, clock=clock)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def population(database: Database) -> Population:
    """Twenty-five users, five groups."""
    population = Population(database)
    population.add("User", [user(number) for number in range(25)])
    population.add("Group", [{"id": f"g{number}", "displayName": f"Group {number}"} for number in range(5)])
    return population


def user(number: int) -> dict[str, Any]:
    """Every fifth has no title; titles repeat; the second address is the primary one."""
    found: dict[str, Any] = {
        "id": f"u{number:02}",
        "userName": f"User{(number * 7) % 25:02}",
        "active": number % 2 == 0,
        "emails": [{"value": f"z{number:02}@x"}, {"value": f"{24 - number:02}@x", "primary": True}],
        "meta": {"lastModified": f"2026-03-02T09:14:{number:02}.000000Z", "version": f'W/"{number + 1}"'},
    }
    return found | ({"title": f"Title {number % 3}"} if number % 5 else {})


def ask(population: Population, cursors: Cursors | None = None, **wanted: Any) -> Listing:
    types = wanted.pop("types", (USER,))
    with population.database.reading(population.tenant) as session:
        return find(session, Query(resource_types=types, viewer=VIEWER * population.tenant, **wanted), cursors)


def ids(listing: Listing) -> list[str]:
    return [row.id for row in listing.rows]


def walk(population: Population, cursors: Cursors, count: int, **wanted: Any) -> list[str]:
    """Every id, page by page with cursors."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = ask(population, cursors, cursor=cursor, count=count, **wanted)
        assert len(page.rows) <= count
        found += ids(page)
        cursor = page.next_cursor
    return found


SORTED: dict[str, Any] = {
    "userName": lambda each: each["userName"].lower(),
    "title": lambda each: each.get("title", "~"),
    "emails": lambda each: each["emails"][1]["value"],
    "emails.value": lambda each: each["emails"][1]["value"],
    "meta.lastModified": lambda each: each["meta"]["lastModified"],
    "meta.version": lambda each: int(each["meta"]["version"][3:-1]),
    "id": lambda each: each["id"],
    "nickName": lambda each: 0,
}


@pytest.mark.parametrize("path", SORTED)
@pytest.mark.parametrize("descending", [False, True])
def test_sorting_is_stable_whichever_way_the_pages_are_taken(
    population: Population, cursors: Cursors, path: str, descending: bool
) -> None:
    expected = sorted((user(number) for number in range(25)), key=lambda each: (SORTED[path](each), each["id"]))
    wanted = [each["id"] for each in (reversed(expected) if descending else expected)]
    order = {"sort_by": path, "descending": descending}
    assert ids(ask(population, **order)) == wanted
    assert walk(population, cursors, 4, **order) == wanted
    paged = [ask(population, start_index=start, count=4, **order) for start in range(1, 26, 4)]
    assert [each for page in paged for each in ids(page)] == wanted
    assert {page.total for page in paged} == {25}


def test_the_primary_value_is_sorted_by_only_where_it_has_the_sub_attribute(database: Database) -> None:
    population = Population(database)
    population.add(
        "User",
        [
            {"id": "a", "userName": "a", "emails": [{"value": "1", "display": "zz"}, {"value": "2", "primary": True}]},
            {"id": "b", "userName": "b", "emails": [{"value": "3", "display": "bb"}, {"value": "4", "display": "xx"}]},
            {"id": "c", "userName": "c", "emails": [{"value": "5", "primary": False, "display": "cc"}]},
            {"id": "d", "userName": "d"},
        ],
    )
    assert ids(ask(population, sort_by="emails.display")) == ["b", "c", "a", "d"]
    assert ids(ask(population, sort_by="emails.display", descending=True)) == ["d", "a", "c", "b"]
    assert ids(ask(population, sort_by="emails.primary")) == ["c", "a", "b", "d"]


def test_both_types_are_listed_one_after_the_other_and_sorted_together(
    population: Population, cursors: Cursors
) -> None:
    both = {"types": REGISTRY.types}
    users, groups = [f"u{n:02}" for n in range(25)], [f"g{n}" for n in range(5)]
    assert ids(ask(population, **both)) == users + groups
    assert ask(population, **both).total == 30
    assert walk(population, cursors, 7, **both) == users + groups
    assert [each for start in (1, 12, 23) for each in ids(ask(population, start_index=start, count=11, **both))] == (
        users + groups
    )
    assert ids(ask(population, start_index=28, count=2, **both)) == ["g2", "g3"]
    by_name = ids(ask(population, sort_by="userName", **both))
    assert by_name[25:] == groups
    assert ids(ask(population, sort_by="displayName", **both)) == groups + users


@pytest.mark.parametrize(
    ("wanted", "expected", "total"),
    [
        ({"count": 0}, [], 25),
        ({"count": 0, "filter": "active eq true"}, [], 13),
        ({"start_index": 26}, [], 25),
        ({"start_index": 10_000, "count": 5}, [], 25),
        ({"start_index": 24, "count": 5}, ["u23", "u24"], 25),
        ({"start_index": 25, "count": 1}, ["u24"], 25),
        ({"filter": 'userName eq "nobody"'}, [], 0),
        ({"filter": 'userName eq "USER07"'}, ["u01"], 1),
        ({"filter": "active eq true", "start_index": 12, "count": 5}, ["u22", "u24"], 13),
        ({"filter": "active eq true", "start_index": 99, "count": 5}, [], 13),
        ({"filter": "active eq true", "count": 13}, [f"u{n:02}" for n in range(0, 25, 2)], 13),
        ({"filter": "active eq true", "count": 12}, [f"u{n:02}" for n in range(0, 23, 2)], 13),
    ],
)
def test_a_page_has_its_rows_and_the_whole_number(
    population: Population, wanted: dict[str, Any], expected: list[str], total: int
) -> None:
    page = ask(population, **wanted)
    assert (ids(page), page.total, page.next_cursor) == (expected, total, None)


def test_what_the_viewer_deleted_is_hidden_and_not_counted(population: Population, cursors: Cursors) -> None:
    population.hide("u03")
    assert "u03" not in ids(ask(population))
    assert ask(population, count=3).total == 24
    assert ask(population, types=REGISTRY.types, count=3).total == 29
    assert ask(population, filter='id eq "u03"').total == 0
    assert "u03" not in walk(population, cursors, 6)
    with population.database.reading(population.tenant) as session:
        assert find(session, Query((USER,), viewer=VIEWER + 1, count=1)).total == 25


def test_tombstones_and_other_tenants_are_never_listed(population: Population) -> None:
    population.add("User", [{"id": "gone", "userName": "gone"}], state="tombstone")
    stranger = Population(population.database, 2)
    stranger.add("User", [user(1)])
    assert "gone" not in ids(ask(population))
    assert ask(population, filter='id eq "gone"').total == 0
    assert ids(ask(stranger)) == ["u01"]
    assert ask(stranger).total == 1


def test_a_row_says_whether_the_resource_is_in_a_group(population: Population) -> None:
    population.join("g1", ["u02", "g2"])
    assert [row.id for row in ask(population).rows if row.in_group] == ["u02"]
    assert [row.id for row in ask(population, types=(GROUP,)).rows if row.in_group] == ["g2"]
    assert [row.type for row in ask(population, types=(GROUP,)).rows] == ["Group"] * 5


@pytest.mark.parametrize(
    "path", ["nosuch", "name", "password", "groups", "groups.value", "meta", "emails[type pr]", ""]
)
def test_what_cannot_be_sorted_by_is_refused_in_words(population: Population, path: str) -> None:
    with pytest.raises(InvalidValue, match=r"sort"):
        ask(population, sort_by=path)


def test_a_literal_of_the_wrong_type_is_refused_even_when_its_shape_is_known(population: Population) -> None:
    assert ask(population, filter='meta.lastModified ge "2026-03-02T09:14:24Z"').total == 1
    with pytest.raises(InvalidFilter, match="date and time"):
        ask(population, filter='meta.lastModified ge "soon"')
    assert ask(population, filter='active eq "true"').total == 13
    with pytest.raises(InvalidFilter, match="true or false"):
        ask(population, filter='active eq "yes"')


def test_a_change_between_two_pages_neither_repeats_nor_skips_the_others(
    population: Population, cursors: Cursors
) -> None:
    first = ask(population, cursors, cursor="", count=10)
    population.hide("u03")
    population.hide("u15")
    population.add("User", [{"id": "new", "userName": "new"}])
    second = ask(population, cursors, cursor=first.next_cursor, count=100)
    assert ids(first) + ids(second) == [*(f"u{n:02}" for n in range(25) if n != 15), "new"]


def test_a_cursor_page_knows_its_total_where_that_is_cheap(population: Population, cursors: Cursors) -> None:
    first = ask(population, cursors, cursor="", count=10)
    assert first.total == 25
    assert ask(population, cursors, cursor=first.next_cursor, count=10).total == 25
    filtered = ask(population, cursors, cursor="", count=10, filter="active eq true")
    assert filtered.total == 13
    assert ask(population, cursors, cursor=filtered.next_cursor, count=10, filter="active eq true").total is None
    assert ask(population, cursors, cursor="", count=50, filter="active eq true").total == 13
    assert ask(population, cursors, cursor="", count=0) == Listing([], 25)


def test_a_cursor_has_unreserved_characters_only_and_hides_what_it_holds(
    population: Population, cursors: Cursors
) -> None:
    cursor = ask(population, cursors, cursor="", count=3, sort_by="userName").next_cursor
    assert cursor
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", cursor)


@pytest.mark.parametrize(
    "other",
    [
        {"filter": 'userName sw "u"'},
        {"sort_by": "title"},
        {"sort_by": "userName", "descending": True},
        {"types": REGISTRY.types},
    ],
)
def test_a_cursor_of_another_query_is_refused(population: Population, cursors: Cursors, other: dict[str, Any]) -> None:
    cursor = ask(population, cursors, cursor="", count=3, sort_by="userName").next_cursor
    with pytest.raises(InvalidCursor, match="another query"):
        ask(population, cursors, cursor=cursor, count=3, **({"sort_by": "userName"} | other))


def test_a_cursor_of_another_tenant_is_refused(population: Population, cursors: Cursors) -> None:
    cursor = ask(population, cursors, cursor="", count=3).next_cursor
    stranger = Population(population.database, 2)
    stranger.add("User", [user(1)])
    with pytest.raises(InvalidCursor):
        ask(stranger, cursors, cursor=cursor, count=3)


def test_an_old_cursor_has_expired(population: Population, cursors: Cursors, clock: Clock) -> None:
    cursor = ask(population, cursors, cursor="", count=3).next_cursor
    clock.time += timedelta(seconds=600)
    assert ask(population, cursors, cursor=cursor, count=3).rows
    clock.time += timedelta(seconds=1)
    with pytest.raises(ExpiredCursor, match="600 seconds"):
        ask(population, cursors, cursor=cursor, count=3)


@given(st.one_of(st.text(max_size=80), st.text("ABCgAAA-_=", max_size=200)))
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursors(("k" * 32,), timeout=600, clock=Clock()).open(text, "query")


def test_a_cursor_outlives_the_key_that_made_it(clock: Clock) -> None:
    old, new = "o" * 32, "n" * 32
    position = Position(1, "straße", 7)
    cursor = Cursors((old,), timeout=600, clock=clock).seal(position, "query")
    assert Cursors((new, old), timeout=600, clock=clock).open(cursor, "query") == position
    with pytest.raises(InvalidCursor):
        Cursors((new,), timeout=600, clock=clock).open(cursor, "query")


LOOK_UPS = {
    'userName eq "x"': "ix_attribute_values_tenant_id_attribute_head_resource_pk",
    'externalId eq "x"': "ix_attribute_values_tenant_id_attribute_head_resource_pk",
    'emails[type eq "work"].value eq "x"': "ix_attribute_values_tenant_id_attribute_head_resource_pk",
    'userName sw "x"': "ix_attribute_values_tenant_id_attribute_head_resource_pk",
    'userName eq "x" or emails eq "x"': "ix_attribute_values_tenant_id_attribute_head_resource_pk",
    'id eq "x"': "(tenant_id=? AND id=?)",
}


@pytest.mark.parametrize("with_statistics", [False, True])
@pytest.mark.parametrize("text", LOOK_UPS)
def test_look_ups_go_through_an_index(sqlite_url: str, text: str, with_statistics: bool) -> None:
    database = Database(sqlite_url)
    if with_statistics:
        with database.engine.begin() as connection:
            write_statistics(connection)
        database.close()
        database = Database(sqlite_url)
    statements = listed(Shape("sqlite", (USER,), tokens(text), None, False))
    compiled = statements.segments[0].page.compiled(database.dialect)
    with database.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {compiled.sql}", tuple("0" for _ in range(compiled.sql.count("?")))
        ).all()
    database.close()
    steps = [str(step[3]) for step in plan]
    assert any(LOOK_UPS[text] in step for step in steps), steps
    of_values = [step for step in steps if "attribute_values" in step]
    assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step], steps
    assert not [step for step in of_values if "(tenant_id=?)" in step or "(tenant_id=? AND attribute=?)" in step], steps


@pytest.mark.parametrize("text", [*LOOK_UPS, 'title co "x" and not (active eq false)'])
def test_postgresql_joins_nothing_whose_size_it_does_not_know(postgresql_url: str, text: str) -> None:
    database = Database(postgresql_url)
    found = tokens(text)
    statements = listed(Shape("postgresql", (USER,), found, None, False))
    compiled = statements.segments[0].page.compiled(database.dialect)
    literals = [token.value for token in found if isinstance(token.value, Literal)]
    values = bound(statements.parameters, literals) | {"tenant": 1, "viewer": VIEWER, "limit": 2, "offset": 0}
    with database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled.sql}", compiled.arguments(values)).scalars().all()
    database.close()
    of_values = [step for step in plan if "attribute_values" in step]
    assert of_values or "id eq" in text
    assert not [step for step in plan if "Semi Join" in step], plan
