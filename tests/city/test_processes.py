"""Processes become ready together, fail with their last words, and leave together."""

import socket
import sys
from pathlib import Path

import pytest

from simulator.city.processes import Processes, ProcessFailed, check_free, free_port, run

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
FAIL = [sys.executable, "-c", "import sys; print('no such thing'); sys.exit(7)"]


def test_what_was_started_is_stopped(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs") as processes:
        for name in ("one", "two"):
            processes.start(name, SLEEP, environment={}, cwd=tmp_path)
        processes.check()
        alive = [started.process for started in processes._started]
    assert [process.poll() is not None for process in alive] == [True, True]


def test_a_process_that_ends_says_why(tmp_path: Path) -> None:
    with Processes(tmp_path / "logs") as processes:
        processes.start("broken", FAIL, environment={}, cwd=tmp_path)
        with pytest.raises(ProcessFailed, match="broken ended with 7:\nno such thing"):
            processes.wait("it", lambda: False)


def test_a_command_answers_or_fails(tmp_path: Path) -> None:
    shown = [sys.executable, "-c", "import os; print(os.environ['WORD'])"]
    assert run(shown, environment={"WORD": "here"}, cwd=tmp_path) == "here\n"
    with pytest.raises(ProcessFailed, match="no such thing"):
        run(FAIL, environment={}, cwd=tmp_path)


def test_free_ports_are_ports() -> None:
    assert 1024 < free_port() < 65536


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ProcessFailed, match=rf"port {port} is taken.*--simulator-port PORT"):
            check_free({"--simulator-port": port})
    check_free({"--simulator-port": port})
