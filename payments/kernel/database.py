"""PostgreSQL, reached through SQLAlchemy 2 and psycopg 3; the only place that commits.

A flow opens `database.transaction()`; everything inside it, however deep, is one transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import URL, Engine, MetaData, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

STATEMENT_TIMEOUT_MS: Final = 15_000
LOCK_TIMEOUT_MS: Final = 3_000
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 30_000
POOL_SIZE: Final = 8
POOL_WAIT_SECONDS: Final = 5
TRANSACTION_TRIES: Final = 5
RETRIED_SQLSTATES: Final = frozenset({"40001", "40P01"})  # serialization failure, deadlock

Result = TypeVar("Result")

NAMING_CONVENTION: Final = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}


class Model(DeclarativeBase):
    """Base of every mapped table. A table names its PostgreSQL schema, which is its domain's name.

    `__table_args__` ends with `{"schema": …, "info": {"sharding": …}}`, where sharding is the
    column the table would be distributed by (`book_id` or `citizen_id`), or `"reference"` for small
    tables that everybody reads, or `"local"` for queues whose rows of several books are claimed at
    once. An architecture test holds every key of the table to it.
    """

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class Database:
    """A pool of connections and the one commit site.

    `url` is a libpq URL; `application_name` shows in pg_stat_activity.
    """

    def __init__(self, url: str, *, application_name: str = "qiantang") -> None:
        self.url = url
        self.engine: Engine = create_engine(
            sqlalchemy_url(url),
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,  # What a statement was given may be personal.
            connect_args={
                "application_name": application_name,
                "options": (
                    f"-c timezone=UTC -c search_path=jobs"
                    f" -c statement_timeout={STATEMENT_TIMEOUT_MS}"
                    f" -c lock_timeout={LOCK_TIMEOUT_MS}"
                    f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
                ),
            },
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a transaction; commit when the block ends, roll back when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open an AUTOCOMMIT session for reads: each statement sees what is newest."""
        with Session(self.engine.execution_options(isolation_level="AUTOCOMMIT")) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Open a read-only transaction in which every statement sees the same moment."""
        engine = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        with Session(engine) as session:
            yield session

    def run(self, operation: Callable[[Session], Result]) -> Result:
        """Run an operation in a transaction, anew when PostgreSQL asks for it (40001, 40P01).

        The operation may run up to TRANSACTION_TRIES times, so it must have no effect outside.
        """
        for attempt in Retrying(
            retry=retry_if_exception(_is_retried),
            stop=stop_after_attempt(TRANSACTION_TRIES),
            wait=wait_random_exponential(multiplier=0.01, max=0.5),
            reraise=True,
        ):
            with attempt, self.transaction() as session:
                result = operation(session)
        return result

    def close(self) -> None:
        """Close every pooled connection; a forked process calls this before its first query."""
        self.engine.dispose()


def sqlalchemy_url(url: str) -> URL:
    """Return a libpq URL (`postgresql://…`) as SQLAlchemy's, with the psycopg 3 driver named."""
    return make_url(url).set(drivername="postgresql+psycopg")


def driver_connection(session: Session) -> psycopg.Connection[Any]:
    """Return the psycopg connection beneath a session, inside the session's transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def _is_retried(error: BaseException) -> bool:
    original = error.orig if isinstance(error, DBAPIError) else None
    return isinstance(original, psycopg.Error) and original.sqlstate in RETRIED_SQLSTATES
