"""Every page of the console."""

from importlib import import_module

from flask import redirect
from werkzeug.wrappers import Response

from scim_server.web.console.site import ROOT

_MODULES = (
    "presentation",
    "overview",
    "session",
    "people",
    "sources",
    "push_source",
    "synchronize",
    "runs",
    "duplicates",
)


def load() -> None:
    """The routes of every page are registered with the blueprint."""
    for name in _MODULES:
        import_module(f"scim_server.web.console.{name}")


def go_to_console() -> Response:
    """People who open the address of the server in a browser land on the console."""
    return redirect(ROOT, code=303)
