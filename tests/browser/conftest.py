"""Real Chromium at a real server: the console as people see it."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from scim_server.settings import Settings
from tests.services import service_missing
from tests.web.browser import NAME, PASSWORD, ConsoleServer, set_up
from tests.web.people import populate, synchronize

CHROMIUM = "/usr/bin/chromium"
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One Chromium for all tests."""
    if not Path(CHROMIUM).exists():
        service_missing(f"there is no {CHROMIUM}; apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Site:
    """A running server with people in it, and where it is."""

    server: ConsoleServer
    address: str
    ids: dict[str, str]
    cookies: list[Any] = field(default_factory=list)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    """A server with an administrator, users, groups and duplicates, listening on a port of this machine."""
    folder = tmp_path_factory.mktemp("console")
    path = folder / "scim.db"
    shutil.copyfile(sqlite_template, path)
    server = ConsoleServer(Settings(data_dir=folder, database_url=f"sqlite:///{path}", secret_key=("k" * 32,)))
    set_up(server)
    ids = {**populate(server), **synchronize(server)}
    listening = make_server("127.0.0.1", 0, server.app, threaded=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield Site(server, f"http://127.0.0.1:{listening.server_port}", ids)
    listening.shutdown()
    thread.join()
    listening.server_close()
    server.services.database.close()


class Watched:
    """A page that remembers what the browser complained about."""

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: Any) -> None:
        # the browser reports every 4xx answer of a page that is meant to be one
        if message.type in ("error", "warning") and not re.search(r"status of (4\d\d)", message.text):
            self.complaints.append(message.text)


@pytest.fixture
def open_page(chromium: Chromium, site: Site) -> Iterator[Any]:
    """Opens a browser, signed in unless told otherwise; every complaint of a browser fails the test."""
    contexts: list[BrowserContext] = []
    watched: list[Watched] = []

    def open_one(*, signed_in: bool = True, **options: Any) -> Page:
        context = chromium.new_context(base_url=site.address, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        if signed_in and site.cookies:
            context.add_cookies(site.cookies)
        tab = Watched(context)
        watched.append(tab)
        if signed_in and not site.cookies:
            tab.page.goto("/console/sign-in")
            tab.page.get_by_label("Name").fill(NAME)
            tab.page.get_by_label("Password").fill(PASSWORD)
            tab.page.get_by_role("button", name="Sign in").click()
            tab.page.wait_for_url("**/console")
            site.cookies = context.cookies()
        return tab.page

    yield open_one
    complaints = [complaint for tab in watched for complaint in tab.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def keep_screenshot() -> Any:
    """Saves what a page looks like where SCIM_SCREENSHOTS names a folder."""
    folder = os.environ.get("SCIM_SCREENSHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

    return keep
