"""Who may import whom, and the few things that have one place only."""

import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT, calls, imports, parsed

HTTP = Path("payments/kernel/http")
PLATFORM = ("payments", "services", "wsgi.py")

CLOCK_READERS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
    "datetime.datetime.now", "datetime.date.today", "machine.time_ns",
}  # fmt: skip


def offenders(names: set[str], allowed: set[str], *, kind: str) -> list[str]:
    """Return the modules outside `allowed` that call or import one of `names`."""
    look = calls if kind == "call" else imports
    return [
        str(path)
        for path, tree in parsed(*PLATFORM).items()
        if str(path) not in allowed
        and any(name in names or name.split(".")[0] in names for name in look(tree))
    ]


def test_imports_follow_the_stack() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_only_the_clock_module_reads_the_clock() -> None:
    found = offenders(CLOCK_READERS, {"payments/kernel/clock.py"}, kind="call")
    assert not found, f"take `now` or a Clock as an argument: {found}"


def test_only_the_http_module_speaks_http_outwards() -> None:
    clients = {"requests", "urllib3", "httpx", "http.client", "urllib.request"}
    allowed = {str(path) for path in parsed("payments") if path.is_relative_to(HTTP)}
    found = offenders(clients, allowed, kind="import")
    assert not found, f"use payments.kernel.http: {found}"


def test_only_the_settings_read_the_environment() -> None:
    found = [
        str(path)
        for path, tree in parsed(*PLATFORM).items()
        if str(path) != "services/host/settings.py"
        and any(name in {"os.getenv", "os.environ.get"} for name in calls(tree))
    ]
    assert not found, f"take it from Settings: {found}"


def test_only_the_database_module_commits() -> None:
    found = [
        str(path)
        for path, tree in parsed("payments", "services").items()
        if str(path) != "payments/kernel/database.py"
        and any(name.endswith(".commit") for name in calls(tree))
    ]
    assert not found, f"open database.transaction() in a flow: {found}"


def test_no_float_meets_an_amount() -> None:
    found = [str(path) for path, tree in parsed("payments").items() if "float" in set(calls(tree))]
    assert not found, f"amounts are integers in fen: {found}"
