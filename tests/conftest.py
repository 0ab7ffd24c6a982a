"""Real PostgreSQL for every test that has a table: one server a worker, one savepoint a test."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from payments.kernel import migrating
from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.embedded import OWNER_ROLE, UNSAFE_FOR_TESTS, EmbeddedPostgres
from tests.support.savepoints import SavepointDatabase

TEMPLATE = "template_qiantang"
MONDAY_MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, a workday.


def migration_folders() -> list[Path]:
    """The migration folders of every plug-in in the tree, installed anew or not."""
    return sorted((Path(__file__).parents[1] / "services").glob("*/migrations"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server of this worker's own; QIANTANG_POSTGRES_BIN names another version's `bin`."""
    chosen = os.environ.get("QIANTANG_POSTGRES_BIN")
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres"),
        binaries=Path(chosen) if chosen else None,
        settings=UNSAFE_FOR_TESTS,
        ephemeral=True,
    )
    server.start()
    try:
        with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrating.upgrade(server.url(TEMPLATE, OWNER_ROLE), folders=migration_folders())
        yield server
    finally:
        server.stop()


def create_database(server: EmbeddedPostgres) -> str:
    """Copy the migrated template; a few dozen milliseconds."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    return name


@pytest.fixture(scope="session")
def shared_database(server: EmbeddedPostgres) -> Iterator[Database]:
    """The worker's database, never written to outside a savepoint."""
    database = Database(server.url(create_database(server)))
    yield database
    database.close()


@pytest.fixture
def database(shared_database: Database) -> Iterator[Database]:
    """The worker's database in a transaction that is rolled back after the test."""
    with SavepointDatabase.over(shared_database) as database:
        yield database


@pytest.fixture
def fresh_database(server: EmbeddedPostgres) -> Iterator[Database]:
    """A database of the test's own, with real commits and any number of connections."""
    name = create_database(server)
    database = Database(server.url(name))
    yield database
    database.close()
    with psycopg.connect(server.url("postgres", OWNER_ROLE), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def clock() -> FixedClock:
    """A clock standing at a Monday, 10:00 in Shanghai."""
    return FixedClock(MONDAY_MORNING)
