"""The background of a server: threads that work off jobs, and one that sweeps once a minute."""

from threading import Event, Thread

from scim_server import logs
from scim_server.admin.jobs import JobRef
from scim_server.jobs.queue import JobQueue
from scim_server.jobs.sweeper import Sweeper
from scim_server.jobs.worker import Worker
from scim_server.store.engine import StoreUnavailable

_SECONDS_BETWEEN_SWEEPS = 60.0

_log = logs.logger(__name__)


class Background:
    """Started and stopped by the process it lives in, from any of its threads."""

    def __init__(self, queue: JobQueue, worker: Worker, sweeper: Sweeper, *, threads: int) -> None:
        self._queue = queue
        self._worker = worker
        self._sweeper = sweeper
        self._is_stopping = Event()
        self._consumer = queue.consume(self._work, threads)
        self._sweeping = Thread(target=self._sweep, name="sweeper", daemon=True)

    def start(self) -> None:
        """Jobs are worked off from now on."""
        self._consumer.start()
        self._sweeping.start()
        _log.info("worker.started", threads=self._consumer.workers)

    def stop(self, seconds: float) -> bool:
        """Running jobs stop between two transactions and wait for the next start; whether all did within that time.

        One that did not is taken up again when its lease has run out.
        """
        self._is_stopping.set()
        self._consumer.shutdown_timeout = seconds
        self._consumer.stop(graceful=True)
        self._sweeping.join(timeout=1.0)
        ended = not any(thread.is_alive() for _, thread in self._consumer.worker_threads)
        self._queue.close()
        _log.info("worker.stopped", in_order=ended)
        return ended

    def _work(self, ref: JobRef) -> None:
        self._worker.run(ref, self._is_stopping.is_set)

    def _sweep(self) -> None:
        while True:
            try:
                self._sweeper.sweep(queue_is_empty=self._queue.is_empty())
                self._consumer.check_worker_health()
            except StoreUnavailable as error:
                _log.warning("sweep.failed", reason=str(error))
            except Exception:
                _log.exception("sweep.failed")  # the next one may do better; without sweeps no schedule would run
            if self._is_stopping.wait(_SECONDS_BETWEEN_SWEEPS):
                return
