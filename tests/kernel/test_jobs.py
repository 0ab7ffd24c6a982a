import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from payments.kernel import jobs
from payments.kernel.database import Database
from payments.kernel.embedded import OWNER_ROLE, EmbeddedPostgres


def states(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.execute(
            text("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id")
        )
        return [(row.task_name, row.status) for row in rows]


def run(
    database: Database,
    tasks: dict[str, Callable[..., None]],
    periodic: tuple[jobs.Periodic, ...] = (),
) -> None:
    jobs.Worker(database.url, tasks=tasks, periodic=periodic).run(until_idle=True)


def test_a_job_vanishes_with_its_transaction_and_runs_once_after_the_commit(
    fresh_database: Database,
) -> None:
    """Seen to fail with the job deferred on a connection of its own."""
    ran: list[str] = []

    def note(*, word: str) -> None:
        ran.append(word)

    def fail() -> None:
        with fresh_database.transaction() as session:
            jobs.defer(session, "note", word="undone")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with fresh_database.transaction() as session:
        assert jobs.defer(session, "note", word="done")
        run(fresh_database, {"note": note})
        assert ran == []
    for _ in range(2):
        run(fresh_database, {"note": note})
    assert ran == ["done"]
    assert states(fresh_database) == []


def test_a_failed_job_waits_for_its_retry(fresh_database: Database) -> None:
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise ZeroDivisionError

    with fresh_database.transaction() as session:
        jobs.defer(session, "fail")
    run(fresh_database, {"fail": fail})
    run(fresh_database, {"fail": fail})
    assert (len(tries), states(fresh_database)) == (1, [("fail", "todo")])
    with fresh_database.transaction() as session:
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now()"))
    run(fresh_database, {"fail": fail})
    assert len(tries) == 2


def test_a_job_nobody_knows_is_kept_as_failed(fresh_database: Database) -> None:
    with fresh_database.transaction() as session:
        jobs.defer(session, "unheard-of")
    run(fresh_database, {})
    assert states(fresh_database) == [("unheard-of", "failed")]


def test_a_taken_queueing_lock_leaves_the_transaction_alive(fresh_database: Database) -> None:
    """Seen to fail with the savepoint taken out."""
    with fresh_database.transaction() as session:
        assert jobs.defer(session, "drain", queueing_lock="drain")
        assert jobs.defer(session, "drain", queueing_lock="drain") is None
        assert jobs.defer(session, "other")
    assert states(fresh_database) == [("drain", "todo"), ("other", "todo")]


def test_a_job_with_a_queueing_lock_is_not_retried(fresh_database: Database) -> None:
    """Its retry would collide with one deferred meanwhile, and hang as running."""

    def fail() -> None:
        with fresh_database.transaction() as session:
            jobs.defer(session, "drain", queueing_lock="drain", schedule_at=tomorrow())
        raise ZeroDivisionError

    with fresh_database.transaction() as session:
        jobs.defer(session, "drain", queueing_lock="drain")
    run(fresh_database, {"drain": fail})
    assert states(fresh_database) == [("drain", "failed"), ("drain", "todo")]


def tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def test_jobs_of_one_lock_run_in_order_and_wait_for_each_other(fresh_database: Database) -> None:
    ran: list[int] = []

    def count(*, number: int) -> None:
        ran.append(number)

    with fresh_database.transaction() as session:
        for number in range(5):
            jobs.defer(session, "count", lock="one", number=number)
        jobs.defer(session, "count", lock="two", number=9, schedule_at=tomorrow())
        jobs.defer(session, "count", lock="two", number=10)
    run(fresh_database, {"count": count})
    assert ran == list(range(5))


def test_jobs_of_one_lock_follow_each_other_at_once_in_a_running_worker(
    fresh_database: Database,
) -> None:
    ran: list[int] = []
    with fresh_database.transaction() as session:
        for number in range(3):
            jobs.defer(session, "count", lock="one", number=number)

    def count(*, number: int) -> None:
        ran.append(number)
        if number == 2:
            worker.stop()

    worker = jobs.Worker(fresh_database.url, tasks={"count": count})
    worker.run()
    assert ran == [0, 1, 2]


def test_the_job_of_a_dead_worker_is_run_again(fresh_database: Database) -> None:
    """Seen to fail with the rescue taken out."""
    ran: list[int] = []
    with fresh_database.transaction() as session:
        jobs.defer(session, "work")
        session.execute(
            text(
                "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (now() - interval '31 seconds') RETURNING id)"
                " UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
            )
        )
    run(fresh_database, {"work": lambda: ran.append(1)})
    assert ran == [1]


def test_dead_jobs_of_one_queueing_lock_are_run_again_beside_the_one_that_waits(
    fresh_database: Database,
) -> None:
    """Seen to fail with the queueing lock kept by the rescue."""
    ran: list[int] = []

    def work(*, number: int) -> None:
        ran.append(number)

    with fresh_database.transaction() as session:
        for number in range(3):
            session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
            jobs.defer(session, "work", queueing_lock="work", number=number)
    run(fresh_database, {"work": work})
    assert sorted(ran) == [0, 1, 2]


def test_the_job_of_a_living_worker_is_left_to_it(fresh_database: Database) -> None:
    ran: list[int] = []

    def meet() -> None:
        ran.append(1)
        run(fresh_database, {"meet": meet})

    with fresh_database.transaction() as session:
        jobs.defer(session, "meet")
    run(fresh_database, {"meet": meet})
    assert ran == [1]


def test_a_periodic_job_runs_once_for_its_moment_whoever_asks(fresh_database: Database) -> None:
    moments: list[datetime] = []
    daily = jobs.Periodic(name="close-day", cron="30 18 * * *", run=moments.append)
    for _ in range(3):
        run(fresh_database, {}, (daily,))
    assert len(moments) == 1
    assert moments[0].strftime("%H:%M %Z") == "18:30 UTC"


def test_a_worker_runs_until_it_is_stopped(fresh_database: Database) -> None:
    ran = threading.Event()
    worker = jobs.Worker(fresh_database.url, tasks={"note": ran.set})
    thread = threading.Thread(target=worker.run)
    thread.start()
    with fresh_database.transaction() as session:
        jobs.defer(session, "note")
    assert ran.wait(10)
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    worker.run()  # Stopped before it began.


def test_a_worker_that_loses_its_database_says_so(
    server: EmbeddedPostgres, fresh_database: Database
) -> None:
    began = threading.Event()
    with fresh_database.transaction() as session:
        jobs.defer(session, "note")
    worker = jobs.Worker(fresh_database.url, tasks={"note": began.set}, pool_wait_seconds=0.2)
    with ThreadPoolExecutor() as threads:
        running = threads.submit(worker.run)
        assert began.wait(10)
        shut(server, fresh_database)
        with pytest.raises(jobs.WorkerStopped):
            running.result(60)


def shut(server: EmbeddedPostgres, database: Database) -> None:
    """Let nobody into a database and send away who is in it."""
    name = sql.Identifier(str(conninfo_to_dict(database.url)["dbname"]))
    with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as owner:
        owner.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name.as_string().strip('"')],
        )


def test_what_goes_wrong_while_deferring_keeps_its_name(fresh_database: Database) -> None:
    with fresh_database.transaction() as first:
        jobs.defer(first, "a", queueing_lock="a")

        def wait_in_vain() -> None:
            with fresh_database.transaction() as second:
                second.execute(text("SET LOCAL lock_timeout = '20ms'"))
                jobs.defer(second, "a", queueing_lock="a")

        with pytest.raises(DBAPIError) as caught:
            wait_in_vain()
        assert isinstance(caught.value.orig, psycopg.errors.LockNotAvailable)
