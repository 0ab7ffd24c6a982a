"""Which database to use, and the embedded one started by whichever command needs it first.

The process that runs the server holds a lock and writes the addresses beside it; every other
process of ours reads them. A server left behind by a killed process is stopped first.
"""

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TextIO

import psycopg

from payments.kernel.embedded import OWNER_ROLE, EmbeddedPostgres
from payments.kernel.errors import Unavailable
from services.host.settings import Settings

ADDRESSES_FILE: Final = "postgres.url"
LOCK_FILE: Final = "postgres.lock"
DIRECTORY: Final = "postgres"
WAIT_SECONDS: Final = 30
POLL_SECONDS: Final = 0.05
SOCKET_LINE: Final = 4  # Of postmaster.pid (PostgreSQL, miscadmin.h).


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """One database, for the role that serves and the role that migrates."""

    runtime: str
    owner: str


class DatabaseNotRunning(Unavailable):
    """No DATABASE_URL is set and no process of ours runs the embedded server."""

    code = "database-not-running"


def database_urls(settings: Settings) -> DatabaseUrls:
    """Return where the database is. Raises DatabaseNotRunning."""
    if settings.database_url is not None:
        return DatabaseUrls(
            runtime=settings.database_url,
            owner=settings.database_owner_url or settings.database_url,
        )
    try:
        return _read(settings.data_directory)
    except FileNotFoundError:
        raise DatabaseNotRunning(
            "set DATABASE_URL, or start what runs the embedded database: make run, or flask worker"
        ) from None


@contextmanager
def running_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Make sure for the length of a block that there is a database; start ours when need be."""
    if settings.database_url is not None:
        yield database_urls(settings)
        return
    settings.data_directory.mkdir(parents=True, exist_ok=True)
    with (settings.data_directory / LOCK_FILE).open("w", encoding="ascii") as lock:
        if _owned(lock):
            with _our_server(settings) as urls:
                yield urls
        else:
            yield _awaited(settings.data_directory)


@contextmanager
def _our_server(settings: Settings) -> Iterator[DatabaseUrls]:
    path = settings.data_directory / ADDRESSES_FILE
    path.unlink(missing_ok=True)
    server = EmbeddedPostgres(settings.data_directory / DIRECTORY)
    _stop_orphan(server.directory / "data")
    server.start()
    urls = DatabaseUrls(runtime=server.url(), owner=server.url(role=OWNER_ROLE))
    try:
        _write(path, urls)
        yield urls
    finally:
        path.unlink(missing_ok=True)
        server.stop()


def _owned(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _awaited(directory: Path) -> DatabaseUrls:
    """Return the addresses of the server that another process is running or just starting."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            urls = _read(directory)
            psycopg.connect(urls.runtime).close()
        except (FileNotFoundError, psycopg.OperationalError):
            time.sleep(POLL_SECONDS)
        else:
            return urls
    raise DatabaseNotRunning(f"another process holds {LOCK_FILE} and its server does not start")


def _read(directory: Path) -> DatabaseUrls:
    stored = json.loads((directory / ADDRESSES_FILE).read_text("ascii"))
    return DatabaseUrls(runtime=stored["runtime"], owner=stored["owner"])


def _write(path: Path, urls: DatabaseUrls) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(asdict(urls)), "ascii")
    unfinished.replace(path)


def _stop_orphan(data: Path) -> None:
    """Stop a server whose parent was killed; it would keep the data directory locked."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8").splitlines()
        process_id, socket = int(lines[0]), lines[SOCKET_LINE]
        address = f"postgresql://{OWNER_ROLE}@/postgres?host={socket}"
        with psycopg.connect(address, autocommit=True) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        if row is None or Path(row[0]).resolve() != data.resolve():
            return
        os.kill(process_id, signal.SIGINT)
    except (OSError, ValueError, IndexError, psycopg.OperationalError):
        return  # Nothing runs, and PostgreSQL itself clears what a crash left.
    deadline = time.monotonic() + WAIT_SECONDS
    while (data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
