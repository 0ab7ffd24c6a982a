"""Closing orders, because their time is over or their citizen asks: at the providers first."""

from functools import partial

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.orders import operations, queries
from payments.orders.flows.asking import BATCH_SIZE, close, guarded
from payments.orders.models import Order
from payments.orders.operations import OrderPaidAlready
from payments.orders.rules import CloseReason, OrderState
from payments.providers.registry import Providers


def cancel(
    database: Database, *, order_id: str, citizen_id: str, providers: Providers, clock: Clock
) -> Order:
    """Close an order because its citizen asks for it, and return it.

    It is still open, with `closing_since` set, while a provider does not answer. Raises
    OrderNotFound, and OrderPaidAlready also when the payment is only found now.
    """
    order = _close(
        database,
        order_id=order_id,
        reason=CloseReason.CANCELLED,
        citizen_id=citizen_id,
        providers=providers,
        clock=clock,
    )
    if order.state == OrderState.PAID:
        raise OrderPaidAlready
    return order


def close_expired(
    database: Database, *, providers: Providers, clock: Clock, limit: int = BATCH_SIZE
) -> int:
    """Close orders that are past their time, at their providers first; return how many were tried.

    An order found paid while it is being closed is paid.
    """
    with database.transaction() as session:
        books = queries.books_with_orders_to_close(session, now=clock.now())
    handled = 0
    for book_id in books:
        with database.transaction() as session:
            claimed = operations.claim_orders_to_close(
                session, book_id=book_id, limit=limit - handled, now=clock.now()
            )
        for order_id in claimed:
            work = partial(
                _close,
                database,
                order_id=order_id,
                reason=CloseReason.EXPIRED,
                citizen_id=None,
                providers=providers,
                clock=clock,
            )
            guarded(work, what=order_id)
        handled += len(claimed)
        if handled >= limit:
            break
    return handled


def _close(
    database: Database,
    *,
    order_id: str,
    reason: CloseReason,
    citizen_id: str | None,
    providers: Providers,
    clock: Clock,
) -> Order:
    with database.transaction() as session:
        now = clock.now()
        order = operations.start_closing(
            session, order_id=order_id, reason=reason, citizen_id=citizen_id, now=now
        )
        attempts = operations.attempts_to_close(session, order=order, now=now)
    for attempt in attempts:
        provider = providers.get(attempt.account_id)
        close(database, attempt=attempt, provider=provider, clock=clock)
    with database.transaction() as session:
        return operations.finish_closing(session, order_id=order_id, now=clock.now())
