"""Every page in Chromium: both themes, 400 pixels, without scripts, with the keyboard, without complaints."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import AXE, Site
from tests.web.browser import NAME, PASSWORD

PAGES = {
    "overview": "/console",
    "users": "/console/users",
    "users-none": "/console/users?q=nobody-is-called-so",
    "user": "/console/users/{mira}",
    "user-hostile": "/console/users/{hostile}",
    "groups": "/console/groups",
    "group": "/console/groups/{quality}",
    "duplicates": "/console/duplicates",
    "duplicate": "/console/duplicates/{case}",
    "sources": "/console/sources",
    "source": "/console/sources/demo",
    "push-source": "/console/sources/entra-push",
    "add-source": "/console/sources/add/active-directory",
    "synchronize": "/console/sources/demo/synchronize",
    "runs": "/console/runs",
    "run-done": "/console/runs/{done}",
    "run-ready": "/console/runs/{ready}?tab=Updated",
    "confirm": "/console/runs/{ready}/confirm",
    "sessions": "/console/sessions",
}


WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
DEPENDS_ON_LOOKS = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size"]}}


def violations(page: Page, rules: dict[str, Any] = WCAG) -> list[str]:
    """What axe-core finds against the rules of WCAG 2.2 AA."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "rules => axe.run(document, rules)"
        ".then(result => result.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | ')))",
        rules,
    )
    return [str(each) for each in found]


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_accessible_in_both_themes_and_fits_every_width(
    open_page: Any, site: Site, keep_screenshot: Any, name: str, theme: str, width: int
) -> None:
    page = open_page(color_scheme=theme, viewport={"width": width, "height": 800})
    page.goto(PAGES[name].format(**site.ids))
    keep_screenshot(page, f"{name}-{theme}-{width}")
    assert not is_wider_than_the_window(page)
    assert violations(page, WCAG if theme == "light" else DEPENDS_ON_LOOKS) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_page_is_accessible(open_page: Any, keep_screenshot: Any, theme: str) -> None:
    page = open_page(signed_in=False, color_scheme=theme, viewport={"width": 400, "height": 800})
    page.goto("/console")
    keep_screenshot(page, f"sign-in-{theme}-400")
    assert violations(page) == []
    assert not is_wider_than_the_window(page)


def test_signing_in_needs_neither_scripts_nor_a_mouse(open_page: Any) -> None:
    page = open_page(signed_in=False, java_script_enabled=False)
    page.goto("/console/sessions")
    page.wait_for_selector("input[name=name]:focus")  # typing before loses letters
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Sessions").wait_for()
    page.get_by_role("button", name="Sign out").press("Enter")
    page.wait_for_url("**/console/sign-in")


def test_every_page_works_without_scripts(open_page: Any, site: Site) -> None:
    page = open_page(java_script_enabled=False)
    for path in PAGES.values():
        page.goto(path.format(**site.ids))
        assert page.locator("h1").count() == 1
        assert page.get_by_role("navigation", name="Pages", exact=True).is_visible()
