"""Closing an order: first it takes no new attempt, then every live one is closed at its provider.

Only when none is left is the order closed here, so an order that was paid is never closed.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.events import operations as events
from payments.kernel.errors import Conflict
from payments.orders.facts import OrderClosed, about
from payments.orders.models import Attempt, Order
from payments.orders.operations.locking import lock_order
from payments.orders.queries import OrderNotFound
from payments.orders.rules import (
    CLOSE_RETRY,
    LIVE,
    ORDER,
    START_GRACE,
    AttemptState,
    CloseReason,
    OrderEvent,
    OrderState,
)


class OrderPaidAlready(Conflict):
    """The order is paid; it can be refunded, not cancelled."""

    code = "order-paid"
    zh = "订单已支付"
    en = "The order has been paid"


def start_closing(
    session: Session, *, order_id: str, reason: CloseReason, citizen_id: str | None, now: datetime
) -> Order:
    """Let no attempt start any more. `citizen_id` is None when it is not the citizen who asks.

    An order that is closed or being closed is left as it is. Raises OrderNotFound and
    OrderPaidAlready.
    """
    order = lock_order(session, order_id=order_id)
    if citizen_id is not None and order.citizen_id != citizen_id:
        raise OrderNotFound
    if order.state == OrderState.PAID:
        raise OrderPaidAlready
    if order.state == OrderState.OPEN:
        order.closing_since = order.closing_since or now
        order.close_reason = order.close_reason or reason
        order.next_close_at = now + CLOSE_RETRY
        session.flush()
    return order


def attempts_to_close(session: Session, *, order: Order, now: datetime) -> Sequence[Attempt]:
    """Return the live attempts, less those whose start may still be on its way."""
    live = session.scalars(
        select(Attempt)
        .where(Attempt.book_id == order.book_id, Attempt.order_id == order.id)
        .where(Attempt.state.in_(LIVE))
        .order_by(Attempt.number)
    ).all()
    return [
        attempt
        for attempt in live
        if attempt.state != AttemptState.STARTED or attempt.started_at + START_GRACE <= now
    ]


def finish_closing(session: Session, *, order_id: str, now: datetime) -> Order:
    """Close the order if it is being closed and no attempt is live; else leave it for later."""
    order = lock_order(session, order_id=order_id)
    live = session.scalars(
        select(Attempt.id)
        .where(Attempt.book_id == order.book_id, Attempt.order_id == order.id)
        .where(Attempt.state.in_(LIVE))
        .limit(1)
    ).first()
    if live is None and order.state == OrderState.OPEN and order.closing_since is not None:
        order.state = ORDER.next(OrderState.OPEN, OrderEvent.CLOSE)
        order.closed_at = now
        order.next_close_at = None
        session.flush()
        closed = OrderClosed(
            **about(order), reason=CloseReason(order.close_reason or ""), closed_at=now
        )
        events.record(session, closed, now=now)
    return order
