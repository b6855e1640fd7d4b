"""The first start, signing in and out, sessions, forged requests and headers."""

from datetime import timedelta
from pathlib import Path

import pytest

from scim_server.admin.administrators import IDLE_SESSION, LONGEST_SESSION
from scim_server.web.console import site
from tests.web.browser import NAME, PASSWORD, Browser, ConsoleServer, set_up


@pytest.fixture
def link(fresh: ConsoleServer) -> str:
    made = fresh.services.admin.administrators.new_link()
    assert made
    return f"/console/set-up/{made}"


def test_the_link_of_the_first_start_makes_one_administrator_and_is_gone(fresh: ConsoleServer, link: str) -> None:
    browser = Browser(fresh)
    answer = browser.post(link, name=NAME, password=PASSWORD, repeated=PASSWORD)
    assert answer.request.path == "/console"
    assert NAME in answer.text
    assert browser.get(link).status_code == 404
    assert fresh.services.admin.administrators.new_link() is None


def test_a_new_link_makes_the_one_before_worthless(fresh: ConsoleServer, link: str) -> None:
    fresh.services.admin.administrators.new_link()
    assert Browser(fresh).get(link).status_code == 404


@pytest.mark.parametrize(
    ("password", "repeated", "words"),
    [("too short", "too short", "at least 12"), (PASSWORD, PASSWORD + "!", "differ")],
)
def test_a_bad_password_makes_nobody_and_leaves_the_link(
    fresh: ConsoleServer, link: str, password: str, repeated: str, words: str
) -> None:
    answer = Browser(fresh).post(link, name=NAME, password=password, repeated=repeated)
    assert answer.status_code == 400
    assert words in answer.text
    assert Browser(fresh).get(link).status_code == 200


def test_who_is_not_signed_in_signs_in_and_comes_to_the_page_that_was_asked_for(server: ConsoleServer) -> None:
    browser = Browser(server)
    asked = browser.get("/console/sessions")
    assert asked.request.path == "/console/sign-in"
    answer = browser.post("/console/sign-in", name=NAME.upper(), password=PASSWORD, next="/console/sessions")
    assert answer.request.path == "/console/sessions"


@pytest.mark.parametrize("elsewhere", ["https://evil.test/console", "//evil.test", "/\\evil.test", "/scim/v2/Users"])
def test_signing_in_never_leads_out_of_the_console(server: ConsoleServer, elsewhere: str) -> None:
    answer = Browser(server).post("/console/sign-in", follow=False, name=NAME, password=PASSWORD, next=elsewhere)
    assert answer.location == "/console"


def test_a_wrong_password_and_an_unknown_name_are_refused_alike(server: ConsoleServer) -> None:
    answers = [Browser(server).sign_in(password="not the password"), Browser(server).sign_in(name="Nobody")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("Name or password is wrong." in answer.text for answer in answers)


def test_after_five_failures_even_the_right_password_waits(server: ConsoleServer) -> None:
    browser = Browser(server)
    for _ in range(5):
        assert "Name or password is wrong." in browser.sign_in(password="not the password").text
    assert "Too many sign-ins have failed" in browser.sign_in().text


def test_a_success_forgets_earlier_failures(server: ConsoleServer) -> None:
    for _ in range(2):
        browser = Browser(server)
        for _ in range(4):
            browser.sign_in(password="not the password")
        assert browser.sign_in().status_code == 200


def test_signing_out_ends_the_session_for_a_copied_cookie_too(browser: Browser) -> None:
    copied = browser.cookie()
    browser.post("/console/sign-out", page="/console")
    browser.set_cookie(copied)
    assert browser.get("/console").request.path == "/console/sign-in"


def test_another_session_is_listed_and_can_be_ended(browser: Browser) -> None:
    other = Browser(browser.server, agent="The other browser")
    other.sign_in()
    page = browser.get("/console/sessions").text
    assert "The other browser" in page
    assert "this one" in page
    action = page.partition('action="/console/sessions/')[2].partition('"')[0]
    browser.post(f"/console/sessions/{action}", page="/console/sessions")
    assert other.get("/console").request.path == "/console/sign-in"
    assert browser.get("/console").request.path == "/console"


@pytest.mark.parametrize("age", [IDLE_SESSION, LONGEST_SESSION])
def test_a_session_ends_by_itself(browser: Browser, monkeypatch: pytest.MonkeyPatch, age: timedelta) -> None:
    clock = browser.server.services.clock
    later = clock.now() + age
    monkeypatch.setattr(type(clock), "now", lambda _clock: later)
    assert browser.get("/console").request.path == "/console/sign-in"


def test_a_form_without_its_token_changes_nothing(browser: Browser) -> None:
    answer = browser.post_bare("/console/sign-out")
    assert answer.status_code == 400
    assert "expired" in answer.text
    assert browser.get("/console").request.path == "/console"


def test_every_page_forbids_foreign_content(browser: Browser) -> None:
    for path in ("/console", "/console/sign-in", "/console/nothing-here", "/console/static/console.css"):
        answer = browser.get(path, follow=False)
        answer.close()
        headers = answer.headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; img-src 'self' data:;")
        assert headers["Referrer-Policy"] == "same-origin"


def test_no_template_has_scripts_styles_or_handlers_of_its_own() -> None:
    folder = Path(site.__file__).parent / "templates"
    sources = {str(path): path.read_text() for path in folder.rglob("*.html")}
    assert len(sources) > 5
    for name, source in sources.items():
        assert "<style" not in source, name
        assert " style=" not in source, name
        assert " onclick=" not in source, name
        assert "<script>" not in source, name
        assert "|safe" not in source.replace(" ", ""), name


def test_provisioning_clients_get_no_cookie(server: ConsoleServer) -> None:
    set_cookies = [
        server.client().request("POST", "/Users", {"userName": "mira"}).headers.get("Set-Cookie"),
        server.client().request("GET", "/Users").headers.get("Set-Cookie"),
    ]
    assert set_cookies == [None, None]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_paths(server: ConsoleServer) -> None:
    cookie = Browser(server).post("/console/sign-in", follow=False, name=NAME, password=PASSWORD).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/console" in cookie


def test_nothing_leads_to_a_second_first_administrator(fresh: ConsoleServer, link: str) -> None:
    set_up(fresh)
    assert Browser(fresh).get(link).status_code == 404


def test_a_failure_is_a_page_that_names_the_entry_in_the_log(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("mira@fabrikam.test")

    monkeypatch.setattr(browser.server.services.admin.sources, "list", fail)
    answer = browser.get("/console")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert "mira@" not in answer.text
