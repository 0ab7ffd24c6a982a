"""The worker as a process, told apart by what it logs."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from payments.events import operations as events
from payments.kernel import jobs
from payments.kernel.database import Database
from payments.kernel.ids import PLATFORM_BOOK
from services.host.manifest import Plugin, Sweep
from services.host.platform import Platform
from services.host.sweeping import SweepThread, pause_seconds
from services.host.worker import handlers_of
from tests.architecture.sources import ROOT
from tests.host.rain import PLUGIN
from tests.host.umbrellas import UmbrellaLent, settings

DEADLINE_SECONDS = 60


class Log:
    """A worker process and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def until(self, event: str, **fields: Any) -> dict[str, Any]:
        """Read on until a line says this."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            said: dict[str, Any] = json.loads(line)
            if said["event"] == event and fields.items() <= said.items():
                return said
        raise AssertionError(f"the worker ended without saying {event} {fields}")


@contextmanager
def worker(database: Database, directory: Path) -> Iterator[Log]:
    environment = {
        **os.environ,
        "DATABASE_URL": database.url,
        "QIANTANG_DATA_DIRECTORY": str(directory),
    }
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "flask", "--app", "tests.host.rain:make_app", "worker"),
            *("--ready-file", str(directory / "ready")),
        ],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(DEADLINE_SECONDS, process.kill)
        watchdog.start()
        try:
            yield Log(process)
        finally:
            watchdog.cancel()
            process.kill()


def test_a_worker_tells_facts_runs_jobs_and_stops_cleanly(
    fresh_database: Database, tmp_path: Path
) -> None:
    with worker(fresh_database, tmp_path) as log:
        log.until("sweep_failed", sweep="rain.flood")
        now = datetime(2026, 1, 1, tzinfo=UTC)  # The worker's clock is the machine's.
        with fresh_database.transaction() as session:
            fact = UmbrellaLent(book_id=PLATFORM_BOOK, loan_id="loan", lent_at=now)
            events.record(session, fact, now=now)
            jobs.defer(session, "rain.dry", puddle="deep")
        waiting = {"swept", "task"}
        while waiting:
            assert log.process.stderr is not None
            said = json.loads(log.process.stderr.readline())
            if said["event"] == "task":
                assert said["outcome"] == "done"
            waiting.discard(said["event"])
        assert (tmp_path / "ready").exists()
        log.process.send_signal(signal.SIGTERM)
        assert log.until("worker_stopped")["in_the_middle_of"] == []
        assert log.process.wait(DEADLINE_SECONDS) == 0
        assert not (tmp_path / "ready").exists()
    with fresh_database.read() as session:
        left = session.execute(text("SELECT count(*) FROM events.outbox")).scalar_one()
    assert left == 0


def sweep_thread(run: Any, stop: threading.Event, *, every: timedelta) -> SweepThread:
    return SweepThread(
        Sweep(name="test.sweep", run=run, every=every),
        platform=Platform(settings=settings()),
        stop=stop,
    )


def test_a_sweep_goes_on_while_there_is_work_and_then_waits_to_be_woken() -> None:
    stop = threading.Event()
    left = [3, 2, 0, 1, 0]
    emptied = threading.Semaphore(0)

    def run(_: Platform) -> int:
        handled = left.pop(0)
        if handled == 0:
            emptied.release()
        return handled

    thread = sweep_thread(run, stop, every=timedelta(hours=1))
    thread.start()
    assert emptied.acquire(timeout=DEADLINE_SECONDS)
    assert left == [1, 0]
    thread.wake.set()
    assert emptied.acquire(timeout=DEADLINE_SECONDS)
    assert left == []
    stop.set()
    thread.wake.set()
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()


def test_a_sweep_that_fails_is_run_again_and_stops_when_told() -> None:
    stop = threading.Event()
    failures = []

    def run(_: Platform) -> int:
        failures.append(1)
        stop.set()
        raise ZeroDivisionError

    thread = sweep_thread(run, stop, every=timedelta(0))
    thread.start()
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()
    assert failures == [1]


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (6, 32), (7, 60), (2000, 60)])
def test_pauses_double_up_to_a_minute(failures: int, seconds: int) -> None:
    assert pause_seconds(failures) == seconds


def test_handlers_bear_the_name_of_their_plugin() -> None:
    assert [one.name for one in handlers_of([PLUGIN])["umbrella.lent"]] == ["rain.hear"]
    assert "umbrella.lent" not in handlers_of([Plugin(name="dry", title=PLUGIN.title)])
