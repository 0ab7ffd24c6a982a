"""Processes started together and stopped together, each with its own log."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

STOP_SECONDS: Final = 20
READY_SECONDS: Final = 120
POLL_SECONDS: Final = 0.05
LOG_LINES_SHOWN: Final = 30


class ProcessFailed(Exception):
    """A process ended, or did not become ready; the text ends with its last lines."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """A running process and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_lines(self) -> str:
        """Return the end of the log."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-LOG_LINES_SHOWN:])


class Processes:
    """A set of processes; leaving the block stops them, the last started first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[Started] = []

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: Path,
    ) -> None:
        """Start a process; `wait` says when it is ready."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603  our own commands
                command,
                env={**os.environ, **environment},
                cwd=cwd,
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order.
            )
        self._started.append(Started(name=name, process=process, log=log))

    def wait(self, what: str, ready: Callable[[], bool]) -> None:
        """Wait until something is ready while all processes live. Raises ProcessFailed."""
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{what} is not ready; the logs are in {self._logs}")
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Raise ProcessFailed when a process has ended."""
        for started in self._started:
            if started.process.poll() is not None:
                raise ProcessFailed(
                    f"{started.name} ended with {started.process.returncode}:"
                    f"\n{started.last_lines()}"
                )

    def stop(self) -> None:
        """Stop every process, the last started first; kill what does not obey."""
        for started in reversed(self._started):
            if started.process.poll() is None:
                started.process.send_signal(signal.SIGTERM)
            try:
                started.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(started.process.pid, signal.SIGKILL)
                started.process.wait()
        self._started = []


def run(command: Sequence[str], *, environment: Mapping[str, str], cwd: Path) -> str:
    """Run a command to its end and return what it wrote. Raises ProcessFailed."""
    done = subprocess.run(  # noqa: S603  our own commands
        command,
        env={**os.environ, **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise ProcessFailed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def check_free(ports: Mapping[str, int]) -> None:
    """Raise ProcessFailed when somebody listens on one of the named ports already."""
    for option, port in ports.items():
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(("127.0.0.1", port))
            except OSError:
                raise ProcessFailed(
                    f"port {port} is taken; stop who listens there, or choose another:"
                    f" .venv/bin/python -m simulator.city run {option} PORT"
                ) from None
