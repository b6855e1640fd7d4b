"""``scim-server serve``: the server itself."""

import multiprocessing
import os
import shutil
import socket
from dataclasses import replace

import click
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from scim_server import logs
from scim_server.admin.tenants import PUSH_SOURCE
from scim_server.cli.context import Context, pass_context
from scim_server.cli.worker import SECONDS_TO_STOP, open_background
from scim_server.metrics import MULTIPROCESS_DIR
from scim_server.settings import PREFIX, Settings
from scim_server.store import migration

_SECONDS_TO_STOP = 30  # as long as container platforms usually wait before they kill


@click.command()
@click.option("--host", help="Address to listen on; SCIM_SERVER_HOST if left out.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; SCIM_SERVER_PORT if left out.")
@click.option(
    "--migrate/--no-migrate",
    default=None,
    help="Bring the database to this version first; by default only where it is a SQLite file.",
)
@click.option("--jobs/--no-jobs", default=True, help="Work off jobs too; by default yes. `worker` does it elsewhere.")
@pass_context
def serve(context: Context, host: str | None, port: int | None, migrate: bool | None, jobs: bool) -> None:
    """Serve SCIM over HTTP until stopped; running requests are finished first.

    The first start creates the tenant, a token that is shown this once, and a link that makes the first administrator
    of the console. Synchronizations run beside the requests: this process supervises those that answer, and works off
    jobs itself.
    """
    settings = context.settings = _settings(context.settings, host, port)
    logs.set_up(settings.log_level, settings.log_format)
    _check_address(settings)
    if migrate or (migrate is None and settings.is_embedded):
        migration.upgrade(settings.database)
    settings.secret_keys()  # made before several processes look for it
    _announce(context)
    context.close()
    _hand_down(settings)
    server = _server(settings)
    if jobs:
        _work_beside(server, settings)
    server.serve()


def _work_beside(server: MPServer, settings: Settings) -> None:
    """Jobs are worked off in this process as long as the server runs; a running one stops in order.

    The processes that answer are spawned: a fork beside running threads would copy their locks as they are.
    """
    multiprocessing.set_start_method("spawn")
    context = Context(settings)
    background = open_background(context)
    server.on_startup(background.start)

    def stop() -> None:
        background.stop(SECONDS_TO_STOP)
        context.close()

    server.on_shutdown(stop)


def _settings(settings: Settings, host: str | None, port: int | None) -> Settings:
    return replace(settings, host=host or settings.host, port=port or settings.port)


def _check_address(settings: Settings) -> None:
    """Raises ClickException where the address cannot be had, before anything is written or shown."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise click.ClickException(
                f"cannot listen on {settings.host} port {settings.port}: {error.strerror}"
            ) from error


def _announce(context: Context) -> None:
    """Say where to connect; the first time with a token."""
    default = context.tenants.ensure_default()[0]
    click.echo(f"Tenant URL    {context.settings.tenant_url}")
    if not context.tokens.list(default.id):
        _, text = context.tokens.create(default.id, PUSH_SOURCE, "first")
        click.echo(f"Secret token  {text}")
        click.echo("              Keep it now: it cannot be shown again. `scim-server token create` makes others.")
    console = f"{context.settings.address}/console"
    click.echo(f"Console       {console}")
    if link := context.administrators.new_link():
        click.echo(f"Set up        {console}/set-up/{link}")
        click.echo("              Opens once, within a day, to make the first administrator.")


def _hand_down(settings: Settings) -> None:
    """The worker processes read the environment: it holds what this one decided."""
    os.environ[f"{PREFIX}HOST"] = settings.host
    os.environ[f"{PREFIX}PORT"] = str(settings.port)
    if settings.workers > 1 and MULTIPROCESS_DIR not in os.environ:
        folder = settings.data_dir / "metrics"
        shutil.rmtree(folder, ignore_errors=True)  # numbers of processes that are gone
        folder.mkdir(parents=True)
        os.environ[MULTIPROCESS_DIR] = str(folder)


def _server(settings: Settings) -> MPServer:
    return MPServer(
        "scim_server.factory:create_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        http=HTTPModes.http1,
        websockets=False,
        workers_kill_timeout=_SECONDS_TO_STOP,
        log_level=LogLevels(settings.log_level),
        log_dictconfig={
            "version": 1,
            "disable_existing_loggers": False,
            "loggers": {"_granian": {"handlers": [], "propagate": True}},  # into our own format
        },
    )
