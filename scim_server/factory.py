"""The composition root: from settings to a running application. Below it nothing is global."""

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from scim_server import logs
from scim_server.admin.administrators import Administrators
from scim_server.admin.jobs import Jobs
from scim_server.admin.schedules import Schedules
from scim_server.admin.schemas import SchemaCatalog
from scim_server.admin.secrets import Secrets
from scim_server.admin.sources import Sources
from scim_server.admin.tenants import Tenants
from scim_server.admin.tokens import TokenDirectory, Tokens
from scim_server.domain.times import Clock, SystemClock
from scim_server.jobs.queue import open_queue
from scim_server.metrics import Metrics
from scim_server.readers import Readers, check_settings, connector_of
from scim_server.reconciler.push import Push
from scim_server.reconciler.resolutions import Resolutions
from scim_server.services import Administration, Services
from scim_server.settings import Settings
from scim_server.store.engine import Database
from scim_server.store.reads.cursors import Cursors
from scim_server.web import errors, health, requests
from scim_server.web.addresses import SingleSlashes
from scim_server.web.console import application as console
from scim_server.web.scim import bulk, discovery, me, resources, search
from scim_server.web.scim.exchange import BASE_PATH


class _Application(Flask):
    """Flask for plain functions: it need not look at each before every call whether it is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def build_services(settings: Settings) -> Services:
    """Everything the application, the command line and the workers share."""
    clock = SystemClock()
    database = Database(settings.database, pool_size=settings.threads + 4)
    keys = settings.secret_keys()
    secrets = Secrets(keys)
    tokens = TokenDirectory(database, clock)
    registry_of = SchemaCatalog(database, clock).registry
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        tokens=tokens,
        registry_of=registry_of,
        push=Push(database, clock),
        resolutions=Resolutions(database, registry_of, clock),
        cursors=Cursors(keys, timeout=settings.cursor_timeout, clock=clock),
        metrics=Metrics(),
        secrets=secrets,
        admin=_administration(settings, database, clock, secrets, tokens),
    )


def _administration(
    settings: Settings, database: Database, clock: Clock, secrets: Secrets, directory: TokenDirectory
) -> Administration:
    queue = cache(lambda: open_queue(settings.database, settings.data_dir))  # opened by whoever sends first
    sources = Sources(database, clock, secrets, check_settings)
    return Administration(
        administrators=Administrators(database, clock),
        tenants=Tenants(database, clock),
        sources=sources,
        tokens=Tokens(database, clock, directory),
        schedules=Schedules(database, clock),
        jobs=Jobs(database, clock, lambda ref: queue().send(ref)),
        settings_of=lambda kind: connector_of(kind).settings,
        reader_of=Readers(sources),
    )


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """The WSGI application. Without arguments its settings come from the environment, and it sets up the logs."""
    if settings is None and services is None:
        settings = Settings.from_environment()
        logs.set_up(settings.log_level, settings.log_format)
    services = services or build_services(settings or Settings.from_environment())
    app = _Application("scim_server.web", template_folder="templates", static_folder=None)
    app.extensions["scim-server"] = services
    app.config["MAX_CONTENT_LENGTH"] = services.settings.max_body_bytes
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.wsgi_app = SingleSlashes(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents this for middleware
    for blueprint in (resources.bp, search.bp, me.bp, bulk.bp, discovery.bp):
        app.register_blueprint(blueprint, url_prefix=BASE_PATH)
    app.register_blueprint(health.bp)
    console.register(app, machines=(resources.bp, search.bp, me.bp, bulk.bp, discovery.bp))
    errors.register(app)
    requests.register(app)
    if services.settings.trusted_proxies:
        hops = services.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)  # type: ignore[method-assign]  # Flask documents this for middleware
    return app
