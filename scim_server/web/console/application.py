"""The console as a part of the application: its cookie, its protection against forged requests, its pages."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Flask, Request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect

from scim_server.services import Services
from scim_server.web.console import pages
from scim_server.web.console.site import ROOT, bp


class _ConsoleCookie(SecureCookieSessionInterface):
    """A session for the console alone: requests of provisioning clients neither read nor write a cookie."""

    def open_session(self, app: Flask, request: Request) -> Any:
        """The session of the browser; None elsewhere, which is a session that nobody can write to."""
        return super().open_session(app, request) if request.path.startswith(ROOT) else None

    def get_cookie_secure(self, app: Flask) -> bool:
        """The cookie keeps to HTTPS as soon as the server is known to be reached by it."""
        services: Services = app.extensions["scim-server"]
        return services.settings.public_url.startswith("https:")


def register(app: Flask, machines: Sequence[Blueprint]) -> None:
    """The application serves the console. ``machines`` take bearer tokens, so no browser can be made to send them one.

    Every other form of the application needs the token that its page carries.
    """
    services: Services = app.extensions["scim-server"]
    app.secret_key = services.secrets.derive("console cookie")
    app.session_interface = _ConsoleCookie()
    app.config.update(
        SESSION_COOKIE_NAME="scim_console",
        SESSION_COOKIE_PATH=ROOT,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    protection = CSRFProtect(app)
    for blueprint in machines:
        protection.exempt(blueprint)
    pages.load()
    app.register_blueprint(bp, url_prefix=ROOT)
    app.add_url_rule("/", "home", pages.go_to_console)
