"""The sweep that asks about silent attempts on the published schedule."""

from functools import partial

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.kernel.ids import BookId
from payments.orders import operations, queries
from payments.orders.flows.asking import BATCH_SIZE, ask, close, guarded
from payments.orders.models import Attempt
from payments.orders.rules import OrderState
from payments.providers.registry import Providers


def settle_unknown(
    database: Database, *, providers: Providers, clock: Clock, limit: int = BATCH_SIZE
) -> int:
    """Ask about attempts that are due, or close those whose order no longer wants them.

    Returns how many were handled. Any number of sweeps may run at once.
    """
    with database.transaction() as session:
        books = queries.books_with_attempts_due(session, now=clock.now())
    handled = 0
    for book_id in books:
        with database.transaction() as session:
            claimed = operations.claim_attempts(
                session, book_id=book_id, limit=limit - handled, now=clock.now()
            )
        for attempt in claimed:
            work = partial(_settle, database, attempt=attempt, providers=providers, clock=clock)
            guarded(work, what=attempt.id)
        handled += len(claimed)
        if handled >= limit:
            break
    return handled


def _settle(database: Database, *, attempt: Attempt, providers: Providers, clock: Clock) -> None:
    provider = providers.get(attempt.account_id)
    with database.transaction() as session:
        order = queries.order(session, order_id=attempt.order_id, book_id=BookId(attempt.book_id))
    act = ask if order.state == OrderState.OPEN else close
    act(database, attempt=attempt, provider=provider, clock=clock)
