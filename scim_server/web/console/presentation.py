"""How templates show things: files by their content, times, numbers, and where the navigation leads."""

from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from flask import g, url_for
from markupsafe import Markup, escape

from scim_server.domain.times import from_text
from scim_server.web.console.site import bp

_STATIC: Final = Path(__file__).parent / "static"
NAVIGATION: Final = (("console.show_overview", "Overview"),)


@bp.context_processor
def for_every_page() -> dict[str, object]:
    """What every template may use."""
    return {"administrator": g.get("administrator"), "asset": asset, "navigation": NAVIGATION}


def asset(name: str) -> str:
    """The address of a static file; it changes with the file, so browsers may keep it for good."""
    return url_for("console.static", filename=name, v=_version(name))


@cache
def _version(name: str) -> str:
    return sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


@bp.app_template_filter("moment")
def show_moment(value: datetime | str | None) -> Markup:
    """A point in time: in UTC as it comes, in the viewer's zone where scripts run, exact on hover."""
    if not value:
        return Markup("never")
    moment = from_text(value) if isinstance(value, str) else value
    exact = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), exact, f"{moment:%Y-%m-%d %H:%M} UTC"
    )


@bp.app_template_filter("number")
def show_number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


@bp.app_template_filter("counted")
def show_counted(number: int, one: str, many: str = "") -> Markup:
    """A number with its noun: "1 user", "2 users"."""
    return escape(f"{number:,} {one if number == 1 else many or one + 's'}")
