"""Deferred jobs, run by the kernel's worker on the same PostgreSQL."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from payments.kernel.jobs import Worker
from services.host import metrics
from services.host.logs import logger
from services.host.manifest import Task
from services.host.platform import Platform
from services.host.sweeping import pause_seconds

CONCURRENCY: Final = 4

log = logger(__name__)


class JobThread(threading.Thread):
    """Runs the jobs of every task until told to stop, then lets running ones finish.

    A worker that lost its database is replaced by a new one.
    """

    def __init__(self, tasks: Sequence[Task], *, platform: Platform, stop: threading.Event) -> None:
        super().__init__(name="jobs", daemon=True)
        self._tasks = {task.name: _runner(task, platform) for task in tasks}
        self._url = platform.database.url
        self._stop = stop

    def run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            worker = Worker(self._url, tasks=self._tasks, stop=self._stop, concurrency=CONCURRENCY)
            try:
                worker.run()
            except Exception:
                failures += 1
                log.exception("jobs_lost")
                self._stop.wait(pause_seconds(failures))


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
            structlog.contextvars.unbind_contextvars("task")

    return run
