"""Deferred jobs, run by the kernel's worker on the same PostgreSQL."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from payments.kernel.jobs import Worker, WorkerStopped
from services.host import metrics
from services.host.logs import logger
from services.host.manifest import Task
from services.host.platform import Platform
from services.host.sweeping import STEADY_SECONDS, pause_seconds

log = logger(__name__)


class JobThread(threading.Thread):
    """Runs the jobs of every task until told to stop, then lets running ones finish.

    A worker that lost its database is replaced by a new one.
    """

    def __init__(self, tasks: Sequence[Task], *, platform: Platform, stop: threading.Event) -> None:
        super().__init__(name="jobs", daemon=True)
        self._tasks = {task.name: _runner(task, platform) for task in tasks}
        self._url = platform.database.url
        self._stopping = stop  # Thread has a `_stop` of its own.

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                Worker(self._url, tasks=self._tasks, stop=self._stopping).run()
            except Exception as error:
                failures = 1 if time.monotonic() - started > STEADY_SECONDS else failures + 1
                log.warning("jobs_lost", exc_info=not isinstance(error, WorkerStopped))
                self._stopping.wait(pause_seconds(failures))


def _runner(task: Task, platform: Platform) -> Callable[..., None]:
    def run(**arguments: Any) -> None:
        started = time.perf_counter()
        outcome = "failed"
        structlog.contextvars.bind_contextvars(task=task.name)
        try:
            task.run(platform, **arguments)
            outcome = "done"
        except Exception:
            log.exception("task_failed")
            raise
        finally:
            metrics.TASKS.labels(task.name, outcome).inc()
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            log.info("task", outcome=outcome, milliseconds=milliseconds)
            structlog.contextvars.clear_contextvars()

    return run
