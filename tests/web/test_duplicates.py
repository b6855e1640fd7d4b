"""Duplicates: listed with filters, shown side by side, resolved through a preview, dismissed."""

import re
from html import unescape

import pytest
from werkzeug.test import TestResponse

from scim_server.admin.jobs import PreviewRequest
from scim_server.store.reads.duplicates import list_cases
from tests.web.browser import Browser
from tests.web.people import patch, push, user

DUPLICATES = "/console/duplicates"


@pytest.fixture
def inactive(browser: Browser) -> Browser:
    """A browser at a server where an inactive user holds what the sample directory wants for somebody else."""
    client = browser.server.client()
    body = {**user("former"), "userName": "a.bello@harbour.example"}
    patch(client, f"/Users/{push(client, '/Users', body)['id']}", active=False)
    browser.post("/console/sources/add/sample", **{"name": "demo", "field-day": "1"})
    administration = browser.server.services.admin
    tenant = browser.server.tenants.get("default").id
    asked = PreviewRequest(full=True, confirm=True)
    run = administration.jobs.preview(tenant, administration.sources.get(tenant, "demo").id, asked, "test")
    browser.server.work_off()
    assert browser.get(f"/console/runs/{run.plan_id}").status_code == 200
    return browser


def case_of(browser: Browser, value: str) -> str:
    """The address of the open case about a value that an inactive user holds."""
    with browser.server.services.database.reading(browser.server.tenants.get("default").id) as session:
        return next(
            f"{DUPLICATES}/{case.id}"
            for case in list_cases(session, "open", 100)
            if (case.value, case.kind) == (value, "held_by_inactive")
        )


def confirm(browser: Browser, page: TestResponse) -> TestResponse:
    run = page.request.path
    fingerprint = re.search(r'name="fingerprint" value="([^"]+)"', browser.get(f"{run}/confirm").text)
    assert fingerprint, page.text
    browser.post(f"{run}/apply", page=f"{run}/confirm", fingerprint=fingerprint[1])
    browser.server.work_off()
    return browser.get(run)


def test_the_number_is_in_the_title_and_filters_narrow_the_list(inactive: Browser) -> None:
    page = inactive.get(DUPLICATES).text
    number = re.search(r"<h1>(\d+) open duplicates</h1>", page)
    assert number
    assert page.count('name="case"') == int(number[1]) > 1
    held = inactive.get(f"{DUPLICATES}?kind=held_by_inactive").text
    assert held.count('name="case"') == 1
    assert "a.bello@harbour.example" in held
    assert "No duplicate fits" in inactive.get(f"{DUPLICATES}?source=entra-push").text


def test_one_case_shows_both_sides_and_the_cause(inactive: Browser) -> None:
    page = unescape(inactive.get(case_of(inactive, "a.bello@harbour.example")).text)
    assert "An inactive user still holds the value." in page
    row = page.partition('title="userName"')[2].partition("</tr>")[0]
    assert row.count("a.bello@harbour.example") == 2
    assert ">same<" in row
    assert "differs" in page.partition('title="displayName"')[2].partition("</tr>")[0]


def test_a_release_is_previewed_and_then_done(inactive: Browser) -> None:
    case = case_of(inactive, "a.bello@harbour.example")
    page = inactive.post(f"{case}/resolve", page=case, how="release")
    assert page.request.path.startswith("/console/runs/")
    assert "<del>a.bello@harbour.example</del>" in page.text
    assert "What to do" in inactive.get(case).text
    assert ">applied</span>" in confirm(inactive, page).text
    assert "What to do" not in inactive.get(case).text


def test_a_rename_gives_the_holder_another_value(inactive: Browser) -> None:
    case = case_of(inactive, "a.bello@harbour.example")
    page = inactive.post(f"{case}/resolve", page=case, how="rename", value="former@harbour.example", holder="1")
    assert "<ins>former@harbour.example</ins>" in page.text
    confirm(inactive, page)
    assert "former@harbour.example" in inactive.get("/console/users?q=former").text


def test_what_cannot_be_done_is_explained(inactive: Browser) -> None:
    case = case_of(inactive, "a.bello@harbour.example")
    answer = inactive.post(f"{case}/resolve", page=case, how="merge")
    assert answer.status_code == 409
    assert "link it instead" in answer.text
    assert inactive.post(f"{case}/resolve", page=case, how="wish").status_code == 409


def test_many_are_dismissed_at_once(inactive: Browser) -> None:
    cases = re.findall(r'name="case" value="([^"]+)"', inactive.get(DUPLICATES).text)
    inactive.post(f"{DUPLICATES}/dismiss", page=DUPLICATES, case=cases[:2])
    assert f"<h1>{len(cases) - 2} open duplicate" in inactive.get(DUPLICATES).text
    assert "<h1>2 dismissed duplicates</h1>" in inactive.get(f"{DUPLICATES}?status=dismissed").text


def test_nothing_to_do_is_said_so(browser: Browser) -> None:
    assert "There is nothing to do." in browser.get(DUPLICATES).text


def test_cases_of_another_tenant_are_not_there(browser: Browser) -> None:
    browser.server.tenants.create("contoso")
    client = browser.server.client(tenant="contoso")
    push(client, "/Users", user("mira"))
    push(client, "/Users", user("mira"), status=409)
    with browser.server.services.database.reading(browser.server.tenants.get("contoso").id) as session:
        case = list_cases(session, "open", 1)[0].id
    assert browser.get(f"{DUPLICATES}/{case}").status_code == 404
    assert browser.post(f"{DUPLICATES}/{case}/resolve", page="/console", how="link").status_code == 404
    assert browser.post(f"{DUPLICATES}/dismiss", page="/console", case=case).status_code == 404
    assert "There is nothing to do." in browser.get(DUPLICATES).text
