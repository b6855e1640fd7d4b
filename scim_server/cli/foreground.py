"""Working off a job within the command itself, with a progress bar on a terminal: no server has to run."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from scim_server.admin.errors import StillInUse
from scim_server.admin.jobs import JobRef, JobStatus
from scim_server.admin.schemas import SchemaCatalog
from scim_server.cli.context import Context
from scim_server.jobs.tasks import Synchronization
from scim_server.jobs.worker import Ended, Worker
from scim_server.reconciler.runs import Progress as Watch


def work_off(context: Context, ref: JobRef, about: str, *, quiet: bool = False) -> Ended:
    """The job has been worked off here. Raises StillInUse where the source or the job is in other hands.

    The first interrupt (or SIGTERM) ends it in order, between two transactions; the second ends the command.
    """
    registry_of = SchemaCatalog(context.database, context.clock).registry
    synchronization = Synchronization(context.database, registry_of, context.clock, context.readers)
    worker = Worker(context.database, context.clock, synchronization.works(), lambda _ref: None)
    with _interruptible() as is_interrupted, _bar(about, quiet=quiet) as watch:
        ended = worker.run(ref, is_interrupted.is_set, watch)
    if ended is None:
        raise StillInUse("another process works on it; `scim-server sync history` shows how it ends")
    if ended.status is JobStatus.QUEUED:
        context.jobs.cancel(ref.tenant, ref.job)
        if is_interrupted.is_set():
            raise click.Abort
        raise StillInUse(ended.error)
    return ended


@contextmanager
def _interruptible() -> Iterator[Event]:
    """An event that the first SIGINT or SIGTERM sets; the next one acts as it always does."""
    interrupted = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()
        click.echo("Stopping in order; once more stops at once.", err=True)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, interrupt)
    try:
        yield interrupted
    finally:
        restore()


@contextmanager
def _bar(about: str, *, quiet: bool) -> Iterator[Watch | None]:
    """What to call with progress; on a terminal a bar with rate and time left."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(about, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


class _Rate(ProgressColumn):
    """Objects a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")
