"""A browser without scripts: it keeps cookies, follows redirects, and sends forms with what their page carries."""

import re
from dataclasses import replace
from typing import Any

from argon2 import PasswordHasher
from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from scim_server.admin.administrators import Administrators
from scim_server.admin.jobs import JobRef, Jobs
from scim_server.jobs.tasks import Synchronization
from scim_server.jobs.worker import Worker
from scim_server.services import Services
from scim_server.settings import Settings
from tests.scim.server import Server

NAME = "Mira Sand"
PASSWORD = "a sentence about rain"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class ConsoleServer(Server):
    """The application with sign-ins that cost no time, and jobs that wait until the test has them worked off."""

    def build(self, settings: Settings) -> Services:
        built = super().build(settings)
        self.waiting: list[JobRef] = []
        parts = {
            "administrators": Administrators(built.database, built.clock, QUICK_HASHER),
            "jobs": Jobs(built.database, built.clock, self.waiting.append),
        }
        return replace(built, admin=replace(built.admin, **parts))

    def work_off(self) -> None:
        """Every job that waits is done, and those that follow from it."""
        here = self.services
        work = Synchronization(here.database, here.registry_of, here.clock, here.admin.reader_of)
        worker = Worker(here.database, here.clock, work.works(), self.waiting.append)
        while self.waiting:
            worker.run(self.waiting.pop(0), lambda: False)


class Browser:
    """One browser at the console."""

    def __init__(self, server: ConsoleServer, agent: str = "Test browser") -> None:
        self.server = server
        self._wsgi = WsgiClient(server.app)
        self._headers = {"User-Agent": agent}

    def get(self, path: str, *, follow: bool = True) -> TestResponse:
        return self._wsgi.get(path, follow_redirects=follow, headers=self._headers)

    def post(self, path: str, follow: bool = True, page: str | None = None, **values: Any) -> TestResponse:
        """Send a form of the page (that of the address itself, if none is given)."""
        token = csrf_token(self.get(page or path).text)
        return self.post_bare(path, follow=follow, csrf_token=token, **values)

    def post_bare(self, path: str, *, follow: bool = True, **values: Any) -> TestResponse:
        """Send values that no page has made."""
        return self._wsgi.post(path, data=values, follow_redirects=follow, headers=self._headers)

    def cookie(self) -> str:
        found = self._wsgi.get_cookie("scim_console", path="/console")
        return found.value if found else ""

    def set_cookie(self, value: str) -> None:
        self._wsgi.set_cookie("scim_console", value, path="/console")

    def sign_in(self, name: str = NAME, password: str = PASSWORD) -> TestResponse:
        return self.post("/console/sign-in", name=name, password=password)


def csrf_token(page: str) -> str:
    """The token in the first form of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:2000]
    return found[1]


def set_up(server: Server, name: str = NAME, password: str = PASSWORD) -> None:
    """The first administrator exists."""
    administrators = server.services.admin.administrators
    link = administrators.new_link()
    assert link
    administrators.create_first(link, server.tenants.get("default").id, name, password)
