"""Deferred jobs, run by procrastinate on the same PostgreSQL."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import procrastinate
import structlog

from services.host import metrics
from services.host.logs import logger
from services.host.manifest import Task
from services.host.platform import Platform
from services.host.sweeping import pause_seconds

CONCURRENCY: Final = 4
MOST_ATTEMPTS: Final = 8
WAIT_EXPONENT: Final = 3  # Seconds between attempts: 3, 9, 27, … about an hour in all.

log = logger(__name__)


class JobThread(threading.Thread):
    """Runs the jobs of every task until told to stop, then lets running ones finish."""

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        platform: Platform,
        stop: threading.Event,
        grace_seconds: float,
    ) -> None:
        super().__init__(name="jobs", daemon=True)
        self._tasks = tasks
        self._platform = platform
        self._stop = stop
        self._grace_seconds = grace_seconds

    def run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                asyncio.run(self._work())
            except Exception:
                failures += 1
                log.exception("jobs_lost")
                self._stop.wait(pause_seconds(failures))

    async def _work(self) -> None:
        app = job_app(self._tasks, platform=self._platform)
        async with app.open_async():
            working = asyncio.create_task(
                app.run_worker_async(
                    concurrency=CONCURRENCY,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=self._grace_seconds,
                    delete_jobs="successful",
                )
            )
            stopping = asyncio.create_task(asyncio.to_thread(self._stop.wait))
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            working.cancel()
            await asyncio.wait({working})


def job_app(tasks: Sequence[Task], *, platform: Platform) -> procrastinate.App:
    """Return procrastinate's application, knowing every task by its name."""
    connector = procrastinate.PsycopgConnector(
        conninfo=platform.database.url,
        max_size=CONCURRENCY + 2,
        kwargs={"options": "-c search_path=jobs -c timezone=UTC"},
    )
    app = procrastinate.App(connector=connector)
    retry = procrastinate.RetryStrategy(max_attempts=MOST_ATTEMPTS, exponential_wait=WAIT_EXPONENT)
    for task in tasks:
        app.task(name=task.name, retry=retry)(_runner(task, platform))
    return app


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
