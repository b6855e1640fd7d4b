"""Users and groups: found, filtered, sorted, paged, and one of them with everything that is known."""

import re

import pytest

from tests.web.browser import Browser, ConsoleServer, set_up
from tests.web.people import FORMULA, HOSTILE, patch, populate, push, user


@pytest.fixture
def people(browser: Browser) -> dict[str, str]:
    return populate(browser.server)


def names(page: str) -> list[str]:
    """The usernames on a page of the list."""
    return re.findall(r'<td class="value">([^<@]+)@fabrikam\.test</td>\n<td class="value">[^<]*@', page)


def test_the_number_of_users_is_in_the_title(browser: Browser, people: dict[str, str]) -> None:
    page = browser.get("/console/users").text
    assert f"<title>{len(people) + 59} users" in page
    assert f"<h1>{len(people) + 59} users</h1>" in page


def test_pages_follow_one_another_and_hold_everybody_once(browser: Browser, people: dict[str, str]) -> None:
    first = browser.get("/console/users").text
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following
    second = browser.get(following[1].replace("&amp;", "&")).text
    assert 'rel="next"' not in second
    found = names(first) + names(second)
    assert found == sorted(found)
    assert len(found) == len(set(found)) == len(people) + 59


@pytest.mark.parametrize("order", ["sort=name&descending=1", "sort=modified", "sort=modified&descending=1"])
def test_every_order_holds_everybody_once(browser: Browser, people: dict[str, str], order: str) -> None:
    first = browser.get(f"/console/users?{order}").text
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following
    found = names(first) + names(browser.get(following[1].replace("&amp;", "&")).text)
    assert len(found) == len(set(found)) == len(people) + 59
    if order.startswith("sort=name"):
        assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    ("search", "found"),
    [("MIRA@", ["mira"]), ("noor h", ["noor"]), ("Tanaka", ["aiko"]), ("WEISS", ["jonas"]), ("ira", []), ("%", [])],
)
def test_a_search_finds_how_username_name_or_address_begin(
    browser: Browser, people: dict[str, str], search: str, found: list[str]
) -> None:
    assert names(browser.get(f"/console/users?q={search.replace('%', '%25')}").text) == found


def test_the_id_is_found_too(browser: Browser, people: dict[str, str]) -> None:
    assert names(browser.get(f"/console/users?q={people['aiko']}").text) == ["aiko"]


@pytest.mark.parametrize(
    ("query", "found"),
    [("state=inactive", ["noor"]), ("duplicates=1", ["mira"]), ("source=local", []), ("q=a&state=active", ["aiko"])],
)
def test_filters_narrow_the_list(browser: Browser, people: dict[str, str], query: str, found: list[str]) -> None:
    assert names(browser.get(f"/console/users?{query}").text) == found


def test_an_old_cursor_shows_the_first_page(browser: Browser, people: dict[str, str]) -> None:
    assert names(browser.get("/console/users?after=nonsense").text)[0] == "aiko"


def test_a_user_shows_where_each_value_comes_from(browser: Browser, people: dict[str, str]) -> None:
    page = browser.get(f"/console/users/{people['mira']}").text
    row = page.partition('title="title">title</th>')[2].partition("</tr>")[0]
    assert "Head of Quality" in row
    assert "<td>entra-push</td>" in row
    assert "<time datetime=" in row


def test_a_user_shows_groups_duplicates_and_history(browser: Browser, people: dict[str, str]) -> None:
    page = browser.get(f"/console/users/{people['mira']}").text
    assert ">Quality</a></li>" in page
    assert '>Plant</a> <span class="muted">through another group</span>' in page
    assert "2 duplicates:" in page
    history = page.partition('id="history"')[2]
    assert history.index("Mira Sand-Okafor") < history.index("created")
    assert '<div class="long">Mira Sand</div>' in history


def test_a_long_history_goes_on_with_older_changes(browser: Browser, people: dict[str, str]) -> None:
    client = browser.server.client()
    for number in range(25):
        patch(client, f"/Users/{people['aiko']}", title=f"Title {number}")
    page = browser.get(f"/console/users/{people['aiko']}").text
    assert "Title 24" in page
    assert "created" not in page.partition('id="history"')[2]
    older = re.search(r'href="(\?before=\d+)#history"', page)
    assert older
    assert "<td rowspan" in browser.get(f"/console/users/{people['aiko']}{older[1]}").text.partition('id="history"')[2]


def test_hostile_values_are_text_and_nothing_else(browser: Browser, people: dict[str, str]) -> None:
    for path in ("/console/users", f"/console/users/{people['hostile']}", "/console/users?q=" + "%3Cscript%3E"):
        page = browser.get(path).text
        assert HOSTILE not in page
        assert "<script>alert" not in page
        assert "<img" not in page
    assert FORMULA.replace('"', "&#34;") in browser.get(f"/console/users/{people['hostile']}").text


def test_a_group_shows_its_members(browser: Browser, people: dict[str, str]) -> None:
    page = browser.get(f"/console/groups/{people['quality']}").text
    assert "1 member," in page
    assert ">Mira Sand-Okafor</a>" in page
    assert ">Plant</a>" in page.partition("Member of")[2]
    assert re.search(r'Quality</a></td>\s*<td class="number">1</td>', browser.get("/console/groups").text)


def test_people_of_another_tenant_are_not_there(browser: Browser, people: dict[str, str]) -> None:
    browser.server.tenants.create("contoso")
    stranger = push(browser.server.client(tenant="contoso"), "/Users", user("stranger"))["id"]
    assert browser.get(f"/console/users/{stranger}").status_code == 404
    assert "stranger" not in browser.get("/console/users?q=stranger").text.partition("<table")[2]


def test_an_empty_server_says_what_to_do_next(fresh: ConsoleServer) -> None:
    set_up(fresh)
    browser = Browser(fresh)
    browser.sign_in()
    assert "There are no users yet" in browser.get("/console/users").text
    assert "There are no groups yet" in browser.get("/console/groups").text
    assert "Connect Microsoft Entra ID" in browser.get("/console").text
