"""How templates show things: files by their content, times, numbers, and where the navigation leads."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import g, url_for
from markupsafe import Markup, escape

from scim_server.domain.times import from_text
from scim_server.web.console.site import bp

_STATIC: Final = Path(__file__).parent / "static"
NAVIGATION: Final = (
    ("console.show_overview", "Overview"),
    ("console.show_users", "Users"),
    ("console.show_groups", "Groups"),
    ("console.show_duplicates", "Duplicates"),
    ("console.show_sources", "Sources"),
    ("console.show_runs", "Runs"),
)


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


@bp.app_template_filter("shown")
def show_value(value: Any) -> str:
    """Any attribute value in one line: lists by their values, complex values by their sub-attributes."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(show_value(each) for each in value) or "none"
    if isinstance(value, Mapping):
        return _show_complex(value)
    return str(value)


def _show_complex(value: Mapping[str, Any]) -> str:
    """A value with its type, as in "mira@example.com (work, primary)"; other sub-attributes by name."""
    main = value.get("display") or value.get("formatted") or value.get("value")
    if main is None:
        return ", ".join(f"{name}: {show_value(inner)}" for name, inner in value.items())
    notes = [str(value["type"])] if value.get("type") else []
    notes += ["primary"] if value.get("primary") is True else []
    return f"{main} ({', '.join(notes)})" if notes else str(main)


@bp.app_template_filter("namespace")
def show_namespace(name: str) -> str:
    """What a claim is of, in words."""
    return {"email": "e-mail address", "group": "group name"}.get(name, name)


@bp.app_template_filter("attribute")
def show_attribute(path: str) -> str:
    """The name of a flat attribute; of an extension without its URN."""
    return path.rpartition(":")[2]


@bp.app_template_filter("primary")
def show_primary(values: list[dict[str, Any]]) -> str:
    """The primary value of a multi-valued attribute, the first where none is marked; "" for none."""
    chosen = next((each for each in values if each.get("primary") is True), values[0] if values else {})
    return str(chosen.get("value", ""))
