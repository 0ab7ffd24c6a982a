"""Sweeps: each in its own thread, again at once while there is work, else when woken or in time."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psycopg
import structlog
from psycopg import sql
from sqlalchemy.exc import SQLAlchemyError

from payments.kernel.errors import Unavailable
from services.host import metrics
from services.host.errors import translate
from services.host.logs import logger
from services.host.manifest import Sweep
from services.host.platform import Platform

FIRST_PAUSE_SECONDS: Final = 1
LONGEST_PAUSE_SECONDS: Final = 60
STEADY_SECONDS: Final = 60  # What ran this long starts counting its failures anew.
CONNECT_SECONDS: Final = 5
LISTEN_SECONDS: Final = 1  # How long a stop may go unnoticed.
CLOCK_LOOKS_SECONDS: Final = 0.2

log = logger(__name__)


class SweepThread(threading.Thread):
    """Runs one sweep until told to stop; set `wake` to have it look at once."""

    def __init__(self, sweep: Sweep, *, platform: Platform, stop: threading.Event) -> None:
        super().__init__(name=sweep.name, daemon=True)
        self.sweep = sweep
        self.wake = threading.Event()
        self._platform = platform
        self._stopping = stop

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self.wake.clear()
            handled = self._run_once()
            if handled is None:
                failures += 1
                self._stopping.wait(pause_seconds(failures))
                continue
            failures = 0
            if handled == 0:
                self.wake.wait(self.sweep.every.total_seconds())

    def _run_once(self) -> int | None:
        """Return how many things were handled, or None when the sweep raised."""
        started = time.perf_counter()
        structlog.contextvars.bind_contextvars(sweep=self.sweep.name)
        try:
            handled = self.sweep.run(self._platform)
        except Exception as error:
            metrics.SWEEP_FAILURES.labels(self.sweep.name).inc()
            meaning = translate(error) if isinstance(error, SQLAlchemyError) else error
            if isinstance(meaning, Unavailable):
                log.warning("sweep_postponed", reason=meaning.code)
            else:
                log.exception("sweep_failed")
            return None
        if handled:
            metrics.SWEPT.labels(self.sweep.name).inc(handled)
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            log.info("swept", handled=handled, milliseconds=milliseconds)
        return handled


class Listener(threading.Thread):
    """Wakes sweeps when PostgreSQL notifies their channels, and all of them when it was away."""

    def __init__(self, sweeps: Sequence[SweepThread], *, url: str, stop: threading.Event) -> None:
        super().__init__(name="listener", daemon=True)
        self._sweeps = sweeps
        self._channels = sorted({one.sweep.channel for one in sweeps if one.sweep.channel})
        self._url = url
        self._stopping = stop

    def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with psycopg.connect(
                    self._url,
                    autocommit=True,
                    application_name="qiantang-listener",
                    connect_timeout=CONNECT_SECONDS,
                ) as connection:
                    for channel in self._channels:
                        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    failures = 0
                    self._wake(None)
                    self._listen(connection)
            except psycopg.OperationalError as error:
                failures += 1
                log.warning("listener_lost", reason=str(error).splitlines()[0])
                self._stopping.wait(pause_seconds(failures))

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._stopping.is_set():
            for notification in connection.notifies(timeout=LISTEN_SECONDS):
                self._wake(notification.channel)

    def _wake(self, channel: str | None) -> None:
        for one in self._sweeps:
            if channel is None or one.sweep.channel == channel:
                one.wake.set()


class ClockWatch(threading.Thread):
    """Wakes every sweep when a demonstration's clock is moved; the settings refuse it elsewhere."""

    def __init__(self, path: Path, sweeps: Sequence[SweepThread], *, stop: threading.Event) -> None:
        super().__init__(name="clock-watch", daemon=True)
        self._path = path
        self._sweeps = sweeps
        self._stopping = stop

    def run(self) -> None:
        seen = self._offset()
        while not self._stopping.wait(CLOCK_LOOKS_SECONDS):
            found = self._offset()
            if found != seen:
                seen = found
                for one in self._sweeps:
                    one.wake.set()

    def _offset(self) -> bytes:
        return self._path.read_bytes() if self._path.exists() else b""


def pause_seconds(failures: int) -> float:
    """Return how long to pause after so many failures in a row: doubling, up to a minute."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS))
