"""The worker: deferred jobs by procrastinate, and every sweep in a thread of its own.

Everything it does is safe to do twice and may stop anywhere, so any number of workers may run side
by side, and a killed one leaves nothing but work for the next.
"""

import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from payments.events import flows as events
from payments.events.listeners import HandlersByFact, NamedHandler, combine
from payments.kernel import idempotency
from services.host.core import core_handlers, core_sweeps
from services.host.jobs import JobThread
from services.host.launching import running_database
from services.host.logs import logger
from services.host.manifest import Handler, Plugin, Sweep
from services.host.platform import Platform
from services.host.sweeping import ClockWatch, Listener, SweepThread

FACTS_CHANNEL: Final = "facts"
FACTS_EVERY: Final = timedelta(seconds=5)
PURGE_EVERY: Final = timedelta(minutes=10)
GRACE_SECONDS: Final = 25  # Below the 30 seconds that supervisors customarily wait.
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

log = logger(__name__)


def run(platform: Platform, plugins: Sequence[Plugin], *, ready_file: Path | None = None) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun and return.

    Starts the embedded database where there is no other. What does not finish within GRACE_SECONDS
    is left to the next worker.
    """
    with _signals_held(), running_database(platform.settings):
        platform.warm_up()
        stop = threading.Event()
        sweeps = [
            SweepThread(sweep, platform=platform, stop=stop)
            for sweep in (*host_sweeps(plugins), *(one for each in plugins for one in each.sweeps))
        ]
        tasks = [task for plugin in plugins for task in plugin.tasks]
        jobs = JobThread(tasks, platform=platform, stop=stop)
        threads = [*sweeps, jobs, *_wakers(platform, sweeps, stop=stop)]
        for thread in threads:
            thread.start()
        with _existing(ready_file):
            log.info("worker_ready", sweeps=[sweep.name for sweep in sweeps])
            signal.sigwait(STOP_SIGNALS)
        stop.set()
        for sweep in sweeps:
            sweep.wake.set()
        _join(threads)
        platform.close()


def host_sweeps(plugins: Sequence[Plugin]) -> tuple[Sweep, ...]:
    """Return the host's own sweeps: telling facts to everybody's handlers, forgetting old keys."""
    handlers = handlers_of(plugins)

    def tell_facts(platform: Platform) -> int:
        return events.drain(platform.database, handlers=handlers, clock=platform.clock)

    return (
        Sweep(name="host.facts", run=tell_facts, every=FACTS_EVERY, channel=FACTS_CHANNEL),
        Sweep(name="host.idempotency-keys", run=_forget_keys, every=PURGE_EVERY),
        *core_sweeps(),
    )


def handlers_of(plugins: Iterable[Plugin]) -> HandlersByFact:
    """Return the handlers of the core and of all plug-ins by fact, each under its lasting name."""
    return combine(
        core_handlers(),
        *(
            {handler.fact.name: [_named(plugin, handler)]}
            for plugin in plugins
            for handler in plugin.handlers
        ),
    )


def _named(plugin: Plugin, handler: Handler) -> NamedHandler:
    return NamedHandler(name=f"{plugin.name}.{handler.lasting_name}", run=handler.run)


def _forget_keys(platform: Platform) -> int:
    with platform.database.transaction() as session:
        return idempotency.purge(session, now=platform.clock.now())


def _wakers(
    platform: Platform, sweeps: Sequence[SweepThread], *, stop: threading.Event
) -> list[threading.Thread]:
    wakers: list[threading.Thread] = [Listener(sweeps, url=platform.database.url, stop=stop)]
    if platform.settings.clock_offset_file:
        wakers.append(ClockWatch(platform.settings.clock_offset_file, sweeps, stop=stop))
    return wakers


def _join(threads: Sequence[threading.Thread]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    late = [thread.name for thread in threads if thread.is_alive()]
    log.info("worker_stopped", in_the_middle_of=late)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Keep stop signals for `sigwait`, so that none arrives where it could not be handled."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _existing(path: Path | None) -> Iterator[None]:
    """Keep a file for the length of a block, for supervisors that look for one."""
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
