"""The worker: deferred jobs by procrastinate, and every sweep in a thread of its own.

Everything it does is safe to do twice and may stop anywhere, so any number of workers may run side
by side, and a killed one leaves nothing but work for the next.
"""

import signal
import threading
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
from services.host.logs import logger
from services.host.manifest import Plugin, Sweep
from services.host.platform import Platform
from services.host.sweeping import ClockWatch, Listener, SweepThread

FACTS_CHANNEL: Final = "facts"
FACTS_EVERY: Final = timedelta(seconds=5)
PURGE_EVERY: Final = timedelta(minutes=10)
GRACE_SECONDS: Final = 25  # Below the 30 seconds that supervisors customarily wait.
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

log = logger(__name__)


def run(platform: Platform, plugins: Sequence[Plugin], *, ready_file: Path | None) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun and return."""
    stop = threading.Event()
    platform.warm_up()
    sweeps = [
        SweepThread(sweep, platform=platform, stop=stop)
        for sweep in (*host_sweeps(plugins), *(one for plugin in plugins for one in plugin.sweeps))
    ]
    tasks = [task for plugin in plugins for task in plugin.tasks]
    threads: list[threading.Thread] = [
        *sweeps,
        Listener(sweeps, url=platform.database.url, stop=stop),
        JobThread(tasks, platform=platform, stop=stop),
    ]
    if platform.settings.clock_offset_file:
        threads.append(ClockWatch(platform.settings.clock_offset_file, sweeps, stop=stop))
    with _told_to_stop(stop), _existing(ready_file):
        for thread in threads:
            thread.start()
        log.info("worker_ready", sweeps=[sweep.name for sweep in sweeps], tasks=len(tasks))
        stop.wait()
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
            {
                handler.fact.name: [
                    NamedHandler(
                        name=f"{plugin.name}.{handler.lasting_name}",
                        run=handler.run,
                    )
                ]
            }
            for plugin in plugins
            for handler in plugin.handlers
        ),
    )


def _forget_keys(platform: Platform) -> int:
    with platform.database.transaction() as session:
        return idempotency.purge(session, now=platform.clock.now())


def _join(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.join(GRACE_SECONDS)
    late = [thread.name for thread in threads if thread.is_alive()]
    if late:
        log.warning("worker_stopped_in_the_middle", threads=late)


@contextmanager
def _told_to_stop(stop: threading.Event) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
