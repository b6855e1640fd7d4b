"""Every page on both kinds of database, and every kind of search and order of the lists."""

from pathlib import Path

from scim_server.settings import Settings
from tests.web.browser import Browser, ConsoleServer, set_up
from tests.web.people import populate, synchronize

PATHS = (
    "",
    "/users",
    "/users?q=mira&state=active&source=entra-push&duplicates=1",
    "/users?sort=modified&descending=1",
    "/users/{mira}",
    "/groups?q=q",
    "/groups/{quality}",
    "/duplicates",
    "/duplicates?kind=email&source=entra-push",
    "/duplicates/{case}",
    "/sources",
    "/sources/demo",
    "/sources/entra-push",
    "/sources/demo/synchronize",
    "/runs",
    "/runs/{done}",
    "/runs/{ready}?tab=Updated&q=h",
    "/runs/{ready}/confirm",
    "/sessions",
)


def test_every_page_is_answered_with_its_content(database_url: str, tmp_path: Path) -> None:
    server = ConsoleServer(Settings(data_dir=tmp_path, database_url=database_url, secret_key=("k" * 32,)))
    set_up(server)
    ids = {**populate(server, many=5), **synchronize(server)}
    browser = Browser(server)
    browser.sign_in()
    for path in PATHS:
        answer = browser.get("/console" + path.format(**ids))
        assert answer.status_code == 200, path
        assert "<h1" in answer.text
    first = browser.get("/console/users").text
    following = first.partition('rel="next"')[0].rpartition('href="')[2].rstrip('" ').replace("&amp;", "&")
    assert browser.get(following).text.count("<tr>") > 10
    assert ">Mira Sand-Okafor<" in browser.get("/console/users?q=MIRA").text
    server.services.database.close()
