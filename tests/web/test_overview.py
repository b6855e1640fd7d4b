"""The first page: counts, activity, and what needs a hand."""

import re
from datetime import timedelta

import pytest

from scim_server.admin.jobs import PreviewRequest
from scim_server.admin.sources import SourceKind
from tests.web.browser import Browser
from tests.web.people import push, user


def test_counts_and_activity_are_those_of_the_tenant(browser: Browser) -> None:
    browser.server.tenants.create("contoso")
    push(browser.server.client(tenant="contoso"), "/Users", user("stranger"))
    push(browser.server.client(), "/Users", user("mira"))
    page = browser.get("/console").text
    assert re.search(r"<strong>1</strong>user,\s+0 inactive", page)
    assert 'aria-label="1 change in the last 30 days, at most 1 on one day"' in page


def test_a_failed_run_needs_a_hand(browser: Browser) -> None:
    administration, tenant = browser.server.services.admin, browser.server.tenants.get("default").id
    source = administration.sources.add(tenant, "demo", SourceKind.SAMPLE, settings={"outage": "yes"})
    job = administration.jobs.preview(tenant, source.id, PreviewRequest(full=True), "test")
    browser.server.work_off()
    page = browser.get("/console").text
    assert "The last run of demo failed." in page
    assert f'href="/console/runs/{job.plan_id}"' in page


def test_a_token_about_to_expire_needs_a_hand(browser: Browser) -> None:
    tenant = browser.server.tenants.get("default").id
    until = browser.server.services.clock.now() + timedelta(days=10, hours=1)
    browser.server.tokens.create(tenant, "entra-push", "Entra 2026", expires_at=until)
    assert "The token Entra 2026 of entra-push expires in 10 days." in browser.get("/console").text


def test_a_client_that_fell_silent_needs_a_hand(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.server.client().request("GET", "/Users")
    assert "Nothing has been heard" not in browser.get("/console").text
    clock = browser.server.services.clock
    later = clock.now() + timedelta(minutes=90)
    monkeypatch.setattr(type(clock), "now", lambda _clock: later)
    assert "Nothing has been heard of the client of entra-push" in browser.get("/console").text
