"""Work the ledger does by itself."""

from datetime import date, timedelta
from typing import Final

from payments.kernel.clock import Clock
from payments.kernel.clock import business_date as business_date_of
from payments.kernel.database import Database
from payments.kernel.signing_keys import SigningKeys
from payments.ledger import operations, queries

EXPIRY_BATCH: Final = 100
CLOSE_AFTER: Final = timedelta(minutes=30)  # What happened just before midnight has then arrived.
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


def close_days(database: Database, *, until: date, keys: SigningKeys, clock: Clock) -> int:
    """Close every business date up to `until`, seal what is closed; return how many were sealed.

    May be repeated and may stop anywhere. Raises DayNotOver.
    """
    with database.transaction() as session:
        operations.close_days(session, until=until, now=clock.now())
    with database.read() as session:
        waiting = [
            (book_id, day)
            for book_id in queries.books(session)
            for day in queries.unsealed_days(session, book_id=book_id)
        ]
    for book_id, day in waiting:
        with database.transaction() as session:
            operations.seal_day(
                session, book_id=book_id, business_date=day, keys=keys, now=clock.now()
            )
    return len(waiting)


def close_due_days(database: Database, *, keys: SigningKeys, clock: Clock) -> int:
    """Close yesterday once CLOSE_AFTER has passed since midnight; return how many days were sealed.

    Swept; it looks first, so that nobody who posts ever waits when there is nothing to close.
    """
    yesterday = business_date_of(clock.now() - CLOSE_AFTER) - timedelta(days=1)
    with database.read() as session:
        if not queries.days_to_close(session, until=yesterday):
            return 0
    return close_days(database, until=yesterday, keys=keys, clock=clock)
