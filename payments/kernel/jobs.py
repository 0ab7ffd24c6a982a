"""Jobs on the same PostgreSQL, deferred in the transaction that makes them necessary.

The engine is procrastinate. What surprises about it, and what follows:

- A job runs at least once: one whose worker died is run again by the next worker (`_rescue`; the
  engine alone would leave it "doing" for ever). So what a job calls must bear repetition.
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
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from procrastinate import App, PsycopgConnector, RetryStrategy, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.retry import RetryDecision
from procrastinate.worker import Worker as Engine
from sqlalchemy.orm import Session

from payments.kernel.database import driver_connection

CONCURRENCY: Final = 4  # Jobs at once; each in a thread of its own.
POOL_SIZE: Final = 4
POOL_WAIT_SECONDS: Final = 3.0
POLL_SECONDS: Final = 0.5
RESCUE_SECONDS: Final = 30.0  # As long as a worker may be without a heartbeat.
LATE_SECONDS: Final = 24 * 3600  # A periodic job missed while no worker ran is made up for.

_log = logging.getLogger(__name__)
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
        raise error.__cause__ or error from None  # PostgreSQL's own words, with its SQLSTATE.


class Worker:
    """Runs jobs by name until stopped. `tasks` are called with the arguments given to `defer`.

    `url` is a libpq URL of the runtime role. A name that is not among the tasks fails its job.
    """

    def __init__(
        self,
        url: str,
        *,
        tasks: Mapping[str, Callable[..., None]],
        periodic: Sequence[Periodic] = (),
        concurrency: int = CONCURRENCY,
        pool_wait_seconds: float = POOL_WAIT_SECONDS,
    ) -> None:
        self._url = url
        self._tasks = tasks
        self._periodic = periodic
        self._concurrency = concurrency
        self._pool_wait_seconds = pool_wait_seconds
        self._asked_to_stop = threading.Event()
        self._engine: Engine | None = None

    def run(self, *, until_idle: bool = False) -> None:
        """Run until `stop` is called, or once through what waits. Raises WorkerStopped.

        Signals are the caller's business. A job that is running is finished before this returns.
        """
        try:
            asyncio.run(self._run(until_idle=until_idle))
        except ConnectorException as error:
            raise WorkerStopped("the worker lost its database") from error
        if not until_idle and not self._asked_to_stop.is_set():
            raise WorkerStopped("the worker ended by itself; the log says why")

    def stop(self) -> None:
        """Ask the worker to stop; may be called from any thread and from a signal handler."""
        self._asked_to_stop.set()
        if self._engine is not None:
            self._engine.stop()  # type: ignore[no-untyped-call]

    async def _run(self, *, until_idle: bool) -> None:
        app = self._app()
        async with app.open_async():
            await _rescue(app)
            self._engine = Engine(
                app,
                concurrency=1 if until_idle else self._concurrency,
                wait=not until_idle,
                fetch_job_polling_interval=POLL_SECONDS,
                stalled_worker_timeout=RESCUE_SECONDS,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
            rescuer = asyncio.create_task(_rescue_for_ever(app))
            try:
                if not self._asked_to_stop.is_set():
                    await self._engine.run()  # type: ignore[no-untyped-call]
            finally:
                rescuer.cancel()

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
        except ConnectorException:  # The engine notices too, and decides.
            _log.exception("jobs.rescue_failed")


async def _rescue(app: App) -> None:
    """Queue the jobs of dead workers again."""
    manager = app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=RESCUE_SECONDS):
        _log.warning("jobs.rescued", extra={"task": job.task_name, "job": job.id})
        try:
            await manager.retry_job(job)
        except UniqueViolation:  # One of the same queueing lock waits; it does the work.
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
