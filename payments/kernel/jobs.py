"""Jobs on the same PostgreSQL, deferred in the transaction that makes them necessary.

The engine is procrastinate. What surprises about it, and what follows:

- A job runs at least once: one whose worker died is run again by the next (RESCUE; the engine alone
  leaves it "doing" for ever, and its own `retry_job` is no remedy: of two workers that both see it
  dead, the second would restart what the first just did). What a job calls bears repetition.
- `schedule_at` and cron are read by the machine's clock (cron in UTC), not by our Clock. Work that
  is due at a business time is found by a sweep over its own table.
- Jobs that share a `lock` run in the order they were deferred: one waiting for its retry, or for
  its `schedule_at`, holds up all behind it.
- The end of a job wakes nobody, and a notification that comes during a fetch is forgotten: what
  waits for a lock, or came at that moment, is found by polling. Hence POLL_SECONDS is short.
- A `queueing_lock` that is taken waits for the other transaction to end, and then is a unique
  violation, which would spoil ours; hence the savepoint. The job that waits in the queue may begin
  before we commit and miss what we wrote: use it for work that is also found by a sweep.
- Arguments stand open in the table and in the log: ids only, nothing personal.
- A worker whose database goes away returns as if it had been asked to; `Worker.run` raises instead.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job
from procrastinate.retry import RetryDecision
from procrastinate.worker import Worker as Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from payments.kernel.database import driver_connection

CONCURRENCY: Final = 4  # Jobs at once; each in a thread of its own.
POOL_SIZE: Final = 4
POOL_WAIT_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.5
STOP_SECONDS: Final = 0.1  # How often the worker looks whether it was told to stop.
RESCUE_SECONDS: Final = 30.0  # As long as a worker may be without a heartbeat.
LATE_SECONDS: Final = 24 * 3600  # A periodic job missed while no worker ran is made up for.

RESCUE: Final = """
WITH stalled AS (
  SELECT job.id FROM procrastinate_jobs job
  LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
  WHERE job.status = 'doing'
    AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %(seconds)s))
  FOR UPDATE OF job SKIP LOCKED
)
UPDATE procrastinate_jobs job
SET status = 'todo', attempts = attempts + 1, scheduled_at = now(), worker_id = NULL,
    abort_requested = false, queueing_lock = NULL
FROM stalled WHERE job.id = stalled.id
RETURNING job.id, job.task_name
"""

_log = structlog.get_logger()
_deferring: Final = App(connector=SyncPsycopgConnector())  # Never opened: we bring the connection.


class WorkerStopped(RuntimeError):
    """The worker ended without being asked to, for it lost its database; start another."""


@dataclass(frozen=True, kw_only=True)
class Periodic:
    """A job that runs by a cron line, in UTC; `run` is given the moment it was due."""

    name: str
    cron: str
    run: Callable[[datetime], None]


def defer(
    session: Session,
    name: str,
    /,
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    schedule_at: datetime | None = None,
    **arguments: Any,
) -> int | None:
    """Queue a job that exists if and only if this transaction commits; return its number.

    Of jobs that share a `lock` one runs at a time. Of jobs that share a `queueing_lock` one waits
    at a time: returns None when there is one already, and it is not retried when it fails.
    `schedule_at` is a moment of the machine's clock.
    """

    def insert() -> int:
        connection = driver_connection(session)  # Asked for late: this emits the savepoint.
        return _deferring.configure_task(
            name,
            lock=lock,
            queueing_lock=queueing_lock,
            schedule_at=schedule_at,
            connection=connection,
        ).defer(**arguments)

    try:
        if queueing_lock is None:
            return insert()
        with session.begin_nested():
            return insert()
    except AlreadyEnqueued:
        return None
    except ConnectorException as error:
        if not isinstance(error.__cause__, psycopg.Error):
            raise
        raise DBAPIError("defer", None, error.__cause__) from error  # With its SQLSTATE.


class Worker:
    """Runs jobs by name until stopped. `tasks` are called with the arguments given to `defer`.

    `url` is a libpq URL of the runtime role; setting the event `stop` stops the worker, as `stop()`
    does. A name that is not among the tasks fails its job.
    """

    def __init__(
        self,
        url: str,
        *,
        tasks: Mapping[str, Callable[..., None]],
        periodic: Sequence[Periodic] = (),
        stop: threading.Event | None = None,
        concurrency: int = CONCURRENCY,
        pool_wait_seconds: float = POOL_WAIT_SECONDS,
    ) -> None:
        self._url = url
        self._tasks = tasks
        self._periodic = periodic
        self._concurrency = concurrency
        self._pool_wait_seconds = pool_wait_seconds
        self._stop = stop or threading.Event()

    def run(self, *, until_idle: bool = False) -> None:
        """Run until told to stop, or once through what waits. Raises WorkerStopped.

        Signals are the caller's business. A job that is running is finished before this returns.
        """
        try:
            asyncio.run(self._run(until_idle=until_idle))
        except (ConnectorException, psycopg.Error) as error:
            raise WorkerStopped("the worker lost its database") from error
        if not until_idle and not self._stop.is_set():
            raise WorkerStopped("the worker ended by itself; the log says why")

    def stop(self) -> None:
        """Ask the worker to stop; may be called from any thread and from a signal handler."""
        self._stop.set()

    async def _run(self, *, until_idle: bool) -> None:
        app = self._app()
        async with app.open_async():
            await _rescue(app)
            engine = Engine(
                app,
                concurrency=1 if until_idle else self._concurrency,
                wait=not until_idle,
                fetch_job_polling_interval=POLL_SECONDS,
                stalled_worker_timeout=RESCUE_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
            beside = [
                asyncio.create_task(_rescue_for_ever(app)),
                asyncio.create_task(_pass_on(self._stop, engine)),
            ]
            try:
                if not self._stop.is_set():
                    await engine.run()  # type: ignore[no-untyped-call]
            finally:
                for task in beside:
                    task.cancel()

    def _app(self) -> App:
        connector = PsycopgConnector(
            conninfo=self._url,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=self._pool_wait_seconds,
            kwargs={"application_name": "qiantang-jobs", "options": "-c search_path=jobs"},
        )
        app = App(connector=connector, periodic_defaults={"max_delay": LATE_SECONDS})
        for name, run in self._tasks.items():
            app.task(name=name, retry=RETRIES)(run)
        for job in self._periodic:
            task = app.task(name=job.name, retry=RETRIES)(_at_its_moment(job.run))
            app.periodic(cron=job.cron)(task)
        return app


class _Retries(RetryStrategy):
    """Retries what has no `queueing_lock`: one of the same lock may wait by then."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.queueing_lock is not None:
            return None
        return super().get_retry_decision(exception=exception, job=job)


RETRIES: Final = _Retries(max_attempts=8, exponential_wait=4)  # After 4 s, 16 s, … 18 h: a day.


def _at_its_moment(run: Callable[[datetime], None]) -> Callable[[int], None]:
    def at(timestamp: int) -> None:
        run(datetime.fromtimestamp(timestamp, UTC))

    return at


async def _rescue_for_ever(app: App) -> None:
    while True:
        await asyncio.sleep(RESCUE_SECONDS)
        try:
            await _rescue(app)
        except ConnectorException:  # The engine meets the same trouble, and ends.
            _log.exception("jobs.rescue_failed")


async def _rescue(app: App) -> None:
    """Queue the jobs of dead workers again."""
    for row in await app.connector.execute_query_all_async(RESCUE, seconds=RESCUE_SECONDS):
        _log.warning("jobs.rescued", job=row["id"], name=row["task_name"])


async def _pass_on(stop: threading.Event, engine: Engine) -> None:
    """Tell the engine to stop, when we are told; a thread that waited could not be called off."""
    while not stop.is_set():  # noqa: ASYNC110  an asyncio event cannot be set by other threads
        await asyncio.sleep(STOP_SECONDS)
    engine.stop()  # type: ignore[no-untyped-call]
