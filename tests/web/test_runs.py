"""Synchronizing: choose, preview, confirm, progress, result, history."""

import re

import pytest
from werkzeug.test import TestResponse

from scim_server.admin.jobs import PreviewRequest
from scim_server.admin.sources import SourceKind
from tests.web.browser import Browser

SYNC = "/console/sources/demo/synchronize"


@pytest.fixture
def demo(browser: Browser) -> Browser:
    """A browser at a server with the sample directory, nobody imported."""
    browser.post("/console/sources/add/sample", **{"name": "demo", "field-day": "1"})
    return browser


def preview(browser: Browser, **values: object) -> TestResponse:
    """The page of a preview that has been read."""
    begun = browser.post(SYNC, **{"whom": "all", **values})
    assert begun.status_code == 200, begun.text
    browser.server.work_off()
    return browser.get(begun.request.path)


def confirm(browser: Browser, page: TestResponse, **values: object) -> TestResponse:
    """The page of the run after its plan was applied."""
    run = page.request.path
    confirmation = browser.get(f"{run}/confirm").text
    fingerprint = re.search(r'name="fingerprint" value="([^"]+)"', confirmation)
    assert fingerprint
    answer = browser.post(f"{run}/apply", page=f"{run}/confirm", fingerprint=fingerprint[1], **values)
    browser.server.work_off()
    return browser.get(run) if answer.status_code == 200 else answer


def number(page: TestResponse, tab: str) -> int:
    found = re.search(rf">{tab} (\d+)</a>", page.text)
    assert found, page.text
    return int(found[1])


def result(page: TestResponse, word: str) -> int:
    found = re.search(rf"<strong>(\d+)</strong>{word}</p>", page.text)
    assert found, page.text
    return int(found[1])


def groups_added(page: TestResponse) -> int:
    found = re.search(r"Groups: (\d+) added", page.text)
    return int(found[1]) if found else 0


def test_a_preview_shows_who_would_be_added_and_changes_nothing(demo: Browser) -> None:
    page = preview(demo)
    assert number(page, "Added") > 40
    assert number(page, "Duplicated") > 0
    assert "<h1>0 users</h1>" in demo.get("/console/users").text


def test_while_it_is_read_the_page_shows_progress_and_asks_again_by_itself(demo: Browser) -> None:
    begun = demo.post(SYNC, whom="all")
    assert "Waiting for a worker" in begun.text
    assert 'hx-trigger="every 1s"' in begun.text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in begun.text
    assert "HX-Refresh" not in demo.get(f"{begun.request.path}/progress").headers
    demo.server.work_off()
    assert demo.get(f"{begun.request.path}/progress").headers["HX-Refresh"] == "true"


def test_a_cancelled_preview_leaves_no_trace(demo: Browser) -> None:
    begun = demo.post(SYNC, whom="all")
    demo.post(f"{begun.request.path}/cancel", page=begun.request.path)
    demo.server.work_off()
    assert "Waiting for a worker" not in demo.get(begun.request.path).text
    assert "<h1>0 users</h1>" in demo.get("/console/users").text


def test_what_was_confirmed_is_done_and_counted(demo: Browser) -> None:
    page = preview(demo)
    done = confirm(demo, page)
    assert result(done, "added") + groups_added(done) == number(page, "Added")
    assert result(done, "duplicated") == number(page, "Duplicated") > 0
    assert "Confirm…" not in done.text
    assert ">applied</span>" in demo.get("/console/runs").text
    assert "imported from demo</h2>" in demo.get(SYNC).text


def test_the_second_day_shows_every_change_with_old_and_new_values(demo: Browser) -> None:
    confirm(demo, preview(demo))
    demo.post("/console/sources/demo", **{"field-day": "2"})
    page = preview(demo)
    updated = demo.get(f"{page.request.path}?tab=Updated").text
    assert re.search(r"<del>[^<]+</del> <ins>[^<]+</ins>", updated)


def test_a_plan_that_is_not_the_one_shown_is_refused(demo: Browser) -> None:
    run = preview(demo).request.path
    answer = demo.post(f"{run}/apply", page=f"{run}/confirm", fingerprint="of another plan")
    assert answer.status_code == 409
    assert "the plan has changed" in answer.text.lower()


def test_what_is_left_out_is_not_done(demo: Browser) -> None:
    page = preview(demo)
    added = demo.get(f"{page.request.path}?tab=Added").text
    component = re.search(r'name="without" value="(\d+)" aria-label="Leave out ([^"]+)"', added)
    assert component
    done = confirm(demo, page, without=component[1])
    assert result(done, "added") + groups_added(done) == number(page, "Added") - 1


def test_only_the_chosen_are_synchronized(demo: Browser) -> None:
    confirm(demo, preview(demo))
    chosen = re.findall(r'name="object" value="([^"]+)"', demo.get(SYNC).text)[:2]
    assert len(chosen) == 2
    page = preview(demo, whom="chosen", object=chosen)
    assert number(page, "Unchanged") == 2
    assert "nothing to change" in page.text


def test_choosing_nobody_is_explained(demo: Browser) -> None:
    answer = demo.post(SYNC, whom="chosen")
    assert answer.status_code == 409
    assert "Nobody was chosen" in answer.text


def test_a_directory_that_does_not_answer_is_said_in_words(demo: Browser) -> None:
    demo.post("/console/sources/demo", **{"field-day": "1", "field-outage": "yes"})
    page = preview(demo)
    assert 'class="notice bad" role="alert"' in page.text
    assert "Confirm…" not in page.text


def test_a_blocked_plan_needs_its_number(demo: Browser) -> None:
    demo.post(
        "/console/sources/demo",
        **{
            "field-day": "1",
            "field-limit_duplicates_percent": "1",
            "field-limit_smallest_base": "1",
            "field-limit_smallest_share": "1",
        },
    )
    page = preview(demo)
    assert "Held back:" in page.text
    confirmation = demo.get(f"{page.request.path}/confirm").text
    fields = dict(re.findall(r'type the number (\d+)\s*<input name="(number-[^"]+)"', confirmation))
    assert fields
    assert confirm(demo, page).status_code == 409
    done = confirm(demo, page, **{name: value for value, name in fields.items()})
    assert result(done, "added") > 0


def test_a_client_that_pushes_is_not_synchronized(browser: Browser) -> None:
    answer = browser.get("/console/sources/entra-push/synchronize")
    assert answer.status_code == 409
    assert "whoever pushes decides when" in answer.text


def test_runs_of_another_tenant_are_not_there(demo: Browser) -> None:
    administration = demo.server.services.admin
    other = demo.server.tenants.create("contoso").id
    source = administration.sources.add(other, "theirs", SourceKind.SAMPLE, settings={"day": "1"})
    job = administration.jobs.preview(other, source.id, PreviewRequest(), "somebody")
    demo.server.work_off()
    for path in ("", "/progress", "/confirm"):
        assert demo.get(f"/console/runs/{job.plan_id}{path}").status_code == 404
    assert demo.post(f"/console/runs/{job.plan_id}/cancel", page="/console").status_code == 404
