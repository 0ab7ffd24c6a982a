"""A Database whose every transaction is a savepoint of one transaction that is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from payments.kernel.database import Database


class SavepointDatabase(Database):
    """Looks like a Database to flows; nothing it commits outlives the test."""

    def __init__(self, shared: Database, connection: Connection) -> None:
        self.url = shared.url
        self.engine = shared.engine
        self._connection = connection

    @classmethod
    @contextmanager
    def over(cls, shared: Database) -> Iterator[Self]:
        """Open the outer transaction and roll it back at the end."""
        with shared.engine.connect() as connection:
            outer = connection.begin()
            try:
                yield cls(shared, connection)
            finally:
                outer.rollback()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with (
            Session(
                self._connection,
                expire_on_commit=False,
                join_transaction_mode="create_savepoint",
            ) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.transaction() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        with self.transaction() as session:
            yield session

    def close(self) -> None:
        """Leave the pool to the session-wide fixture."""
