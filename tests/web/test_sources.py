"""Sources: added, edited, tested and scheduled; tokens shown once; secrets never shown again."""

import re

from scim_server.admin.sources import SourceKind
from tests.web.browser import Browser

AD = {
    "field-urls": "ldaps://dc1.fabrikam.test",
    "field-base_dns": "DC=fabrikam,DC=test",
    "field-bind_dn": "CN=reader,DC=fabrikam,DC=test",
    "field-password": "a very secret password",
}


def test_a_token_is_shown_once_and_lets_its_client_in(browser: Browser) -> None:
    page = browser.post(
        "/console/sources/entra-push/tokens", page="/console/sources/entra-push", label="Entra", days="90"
    )
    found = re.search(r'<code id="new-token">(scim_[^<]+)</code>', page.text)
    assert found
    assert found[1] not in browser.get("/console/sources/entra-push").text
    client = browser.server.client()
    client.token = found[1]
    assert client.request("GET", "/Users").status_code == 200


def test_a_revoked_token_lets_nobody_in(browser: Browser) -> None:
    client = browser.server.client()
    page = browser.get("/console/sources/entra-push").text
    action = re.search(r'action="(/console/sources/entra-push/tokens/[^"]+/revoke)"', page)
    assert action
    assert "revoked" in browser.post(action[1], page="/console/sources/entra-push").text
    assert client.request("GET", "/Users").status_code == 401


def test_the_page_of_a_push_source_says_what_to_enter_where(browser: Browser) -> None:
    page = browser.get("/console/sources/entra-push").text
    assert "http://localhost/scim/v2" in page
    assert "Enterprise applications" in page


def test_every_kind_of_directory_has_a_form_with_help_at_each_field(browser: Browser) -> None:
    for kind in ("active-directory", "entra", "sample"):
        page = browser.get(f"/console/sources/add/{kind}").text
        described = browser.server.services.admin.settings_of(kind)
        assert page.count('<small id="about-') == len(described) + 1
        assert all(f'name="field-{each.name}"' in page for each in described)


def test_a_directory_is_added_and_its_password_is_never_shown(browser: Browser) -> None:
    path = "/console/sources/add/active-directory"
    names = {each.name for each in browser.server.services.admin.settings_of("active-directory")}
    assert {name.removeprefix("field-") for name in AD} <= names
    page = browser.post(path, name="head-office", **AD)
    assert page.status_code == 200
    assert page.request.path == "/console/sources/head-office"
    assert "dc1.fabrikam.test" in page.text
    assert "a very secret password" not in page.text
    assert "stored; leave empty to keep it" in page.text


def test_a_password_left_empty_stays(browser: Browser) -> None:
    browser.post("/console/sources/add/active-directory", name="head-office", **AD)
    changed = {**AD, "field-password": "", "field-urls": "ldaps://dc2.fabrikam.test"}
    page = browser.post("/console/sources/head-office", **changed)
    assert "Saved." in page.text
    assert "dc2.fabrikam.test" in page.text
    sources = browser.server.services.admin.sources
    tenant = browser.server.tenants.get("default").id
    assert sources.open_secrets(tenant, "head-office") == {"password": "a very secret password"}


def test_a_setting_that_cannot_be_is_explained_and_what_was_typed_stays(browser: Browser) -> None:
    page = browser.post("/console/sources/add/sample", **{"name": "demo", "field-day": "9"})
    assert page.status_code == 400
    assert "must be a whole number from 1 to 2" in page.text
    assert 'value="9"' in page.text
    assert 'value="demo"' in page.text


def test_the_connection_test_shows_every_finding(browser: Browser) -> None:
    browser.post("/console/sources/add/sample", **{"name": "demo", "field-day": "1"})
    page = browser.post("/console/sources/demo/test", page="/console/sources/demo").text
    assert '<span class="mark good">ok</span>' in page


def test_a_schedule_shows_the_next_run_and_can_be_taken_back(browser: Browser) -> None:
    browser.post("/console/sources/add/sample", **{"name": "demo", "field-day": "1"})
    page = browser.post("/console/sources/demo/schedule", page="/console/sources/demo", rule="daily 02:30").text
    assert "Next run <time" in page
    wrong = browser.post("/console/sources/demo/schedule", page="/console/sources/demo", rule="now and then")
    assert wrong.status_code == 400
    browser.post("/console/sources/demo/schedule", page="/console/sources/demo", rule="")
    assert "by hand" in browser.get("/console/sources").text


def test_a_policy_is_saved_and_a_wrong_one_refused(browser: Browser) -> None:
    browser.post("/console/sources/add/sample", **{"name": "demo", "field-day": "1"})
    page = browser.post("/console/sources/demo", **{"field-day": "1", "field-on_deleted": "deactivate"})
    assert 'name="field-on_deleted" type="text" value="deactivate"' in page.text
    wrong = browser.post("/console/sources/demo", **{"field-day": "1", "field-on_deleted": "perhaps"})
    assert wrong.status_code == 400
    assert "on_deleted" in wrong.text


def test_a_source_is_removed_after_a_confirmation(browser: Browser) -> None:
    browser.post("/console/sources/add/sample", **{"name": "demo", "field-day": "1"})
    assert "Remove 1 source" in browser.get("/console/sources/demo/remove").text
    assert browser.post("/console/sources/demo/remove").request.path == "/console/sources"
    assert browser.get("/console/sources/demo").status_code == 404


def test_sources_of_another_tenant_are_not_there(browser: Browser) -> None:
    other = browser.server.tenants.create("contoso").id
    browser.server.services.admin.sources.add(other, "theirs", SourceKind.SAMPLE)
    assert browser.get("/console/sources/theirs").status_code == 404
    assert "theirs" not in browser.get("/console/sources").text
