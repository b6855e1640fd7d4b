"""``scim-server worker``: work off jobs in a process of its own."""

import signal
from threading import Event

import click

from scim_server import logs
from scim_server.admin.schedules import Schedules
from scim_server.admin.schemas import SchemaCatalog
from scim_server.cli.context import Context, pass_context
from scim_server.jobs.queue import open_queue
from scim_server.jobs.service import Background
from scim_server.jobs.sweeper import Sweeper
from scim_server.jobs.tasks import Synchronization
from scim_server.jobs.worker import Worker

THREADS = 2
SECONDS_TO_STOP = 20.0
"""Less than the time after which container platforms kill; a job that takes longer is taken up again elsewhere."""


@click.command()
@click.option("--threads", default=THREADS, show_default=True, type=click.IntRange(1, 32), help="Jobs at once.")
@pass_context
def worker(context: Context, threads: int) -> int:
    """Work off jobs and start scheduled runs until stopped.

    `scim-server serve` does the same beside the requests; separate workers are for more of them, or for other machines.
    """
    logs.set_up(context.settings.log_level, context.settings.log_format)
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    background = open_background(context, threads)
    background.start()
    stopped.wait()
    background.stop(SECONDS_TO_STOP)
    return 0


def open_background(context: Context, threads: int = THREADS) -> Background:
    """Everything that works off jobs, not yet started."""
    settings, database, clock = context.settings, context.database, context.clock
    queue = open_queue(settings.database, settings.data_dir)
    registry_of = SchemaCatalog(database, clock).registry
    synchronization = Synchronization(database, registry_of, clock, context.readers)
    return Background(
        queue,
        Worker(database, clock, synchronization.works(), queue.send),
        Sweeper(database, clock, Schedules(database, clock), queue.send),
        threads=threads,
    )
