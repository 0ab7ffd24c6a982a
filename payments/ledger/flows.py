"""Work the ledger does by itself."""

from typing import Final

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.ledger import operations, queries

EXPIRY_BATCH: Final = 100
ROLL_UP_BATCH: Final = 20_000


def expire_reservations(database: Database, *, clock: Clock, limit: int = EXPIRY_BATCH) -> int:
    """Free reservations whose time has passed, each in a transaction; return how many."""
    now = clock.now()
    with database.read() as session:
        overdue = queries.overdue_reservations(session, now=now, limit=limit)
    freed = 0
    for book_id, reservation_id in overdue:
        with database.transaction() as session:
            freed += operations.expire(
                session, book_id=book_id, reservation_id=reservation_id, now=now
            )
    return freed


def roll_up(database: Database, *, limit: int = ROLL_UP_BATCH) -> int:
    """Add a batch of settled postings to the totals; return how many.

    Swept every few seconds: the tail that a balance adds up is what was posted since.
    """
    with database.transaction() as session:
        return operations.roll_up(session, limit=limit)
