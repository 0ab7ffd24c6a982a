"""The platform and the world around it, as processes over one data directory.

The platform is started as an operator starts it, by its own commands; nothing of it is imported.
"""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from simulator.city.client import Client, Refused
from simulator.city.processes import Processes, run
from simulator.clock import SimulatorClock

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAMS: Final = Path(sys.executable).parent
LOOPBACK: Final = "127.0.0.1"


class MovableClock(SimulatorClock):
    """The clock that everybody on the stage shares, moved by its file; it never goes back."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._file = file
        if not file.exists():
            file.write_text("0", "ascii")

    def move_to(self, moment: datetime) -> None:
        """Let it be `moment` now, unless it is later already."""
        ahead = moment - datetime.now(UTC)
        if moment > self.now():
            unfinished = self._file.with_suffix(".part")
            unfinished.write_text(str(int(ahead.total_seconds()) + 1), "ascii")
            unfinished.replace(self._file)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the three servers listen."""

    web: int
    simulator: int
    merchant: int


class Stage:
    """Simulator, worker (with the embedded database) and web; leaving the block stops them."""

    def __init__(self, directory: Path, *, ports: Ports, clock_file: Path | None = None) -> None:
        self.directory = directory
        self.keys = directory / "keys" / "providers"
        self.platform = Client(f"http://{LOOPBACK}:{ports.web}")
        self.alipay = Client(f"http://{LOOPBACK}:{ports.simulator}")
        self._ports = ports
        self._clock_file = clock_file
        self._closing = ExitStack()
        self._processes = Processes(directory / "logs")

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._closing.enter_context(self._processes)
        try:
            self._start()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()

    def check(self) -> None:
        """Raise ProcessFailed when a process has ended."""
        self._processes.check()

    def flask(self, *arguments: str) -> str:
        """Run one of the platform's commands and return what it wrote. Raises ProcessFailed."""
        return run([self._program("flask"), *arguments], environment=self._environment, cwd=ROOT)

    def ask(self, *arguments: str) -> Any:
        """Run a command that answers in JSON."""
        return json.loads(self.flask(*arguments))

    def flask_all(self, commands: Sequence[Sequence[str]]) -> list[str]:
        """Run several commands, two at the same time; answers come in the commands' order."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda command: self.flask(*command), commands))

    def _start(self) -> None:
        """Start everything; the worker goes first, because it runs the embedded database."""
        simulator = [sys.executable, "-m", "simulator", "--port", str(self._ports.simulator)]
        simulator += ["--keys", str(self.keys)]
        if self._clock_file is not None:
            simulator += ["--offset-file", str(self._clock_file)]
        self._launch("simulator", simulator)
        self.flask("migrate", "up")
        wait = self._processes.wait
        wait("the simulator", lambda: answers(self.alipay, "/control/clock"))
        ready, addresses = self.directory / "worker.ready", self.directory / "postgres.url"
        ready.unlink(missing_ok=True)
        self._launch("worker", [self._program("flask"), "worker", "--ready-file", str(ready)])
        wait("the database", addresses.exists)
        web = [self._program("gunicorn"), "-c", "services/host/gunicorn.py"]
        web += ["--bind", f"{LOOPBACK}:{self._ports.web}", "wsgi:app"]
        self._launch("web", web)
        wait("the worker", ready.exists)
        wait("the web", lambda: answers(self.platform, "/health/ready"))

    def _launch(self, name: str, command: Sequence[str]) -> None:
        self._processes.start(name, command, environment=self._environment, cwd=ROOT)

    @property
    def _environment(self) -> dict[str, str]:
        environment = {
            "FLASK_APP": "wsgi",
            "PYTHONUNBUFFERED": "1",
            "QIANTANG_ENV": "development",
            "QIANTANG_DATA_DIRECTORY": str(self.directory),
            "QIANTANG_PUBLIC_URL": self.platform.url,
            "QIANTANG_SIMULATOR_URL": self.alipay.url,
            "QIANTANG_CALLBACK_HOSTS_ALLOWED": json.dumps([f"{LOOPBACK}:{self._ports.merchant}"]),
        }
        if self._clock_file is not None:
            environment["QIANTANG_CLOCK_OFFSET_FILE"] = str(self._clock_file)
        return environment

    @staticmethod
    def _program(name: str) -> str:
        return str(PROGRAMS / name)


def answers(client: Client, path: str) -> bool:
    """Say whether a server answers well at a path."""
    try:
        client.get(path)
    except (OSError, HTTPException, Refused):
        return False
    return True
