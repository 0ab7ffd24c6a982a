"""Beginning an attempt to pay, and recording what the provider answered."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict, TooMany
from payments.kernel.ids import BookId, new_book_id, new_provider_number
from payments.orders.models import Attempt, Order
from payments.orders.operations.locking import lock_order
from payments.orders.queries import OrderNotFound
from payments.orders.rules import (
    ATTEMPT,
    ATTEMPTS_PER_ORDER,
    LIVE,
    START_GRACE,
    AttemptEvent,
    AttemptState,
    OrderState,
    next_query_at,
)
from payments.providers.interface import Outcome, Provider, Scene, Started

HEARD_AT_START: Final = {
    Outcome.PENDING: AttemptEvent.WAIT,
    Outcome.SUCCEEDED: AttemptEvent.WAIT,  # A query has to say how much, to whom.
    Outcome.FAILED: AttemptEvent.FAIL,
}
REASON_LENGTH: Final = 200


class OrderNotPayable(Conflict):
    """The order is paid, closed, being closed, or past its time."""

    code = "order-not-payable"
    zh = "订单已不可支付"
    en = "The order can no longer be paid"


class TooManyAttempts(TooMany):
    """The order has as many attempts as it may have."""

    code = "too-many-payment-attempts"
    zh = "支付尝试次数过多"
    en = "There were too many attempts to pay this order"


def begin_attempt(
    session: Session,
    *,
    order_id: str,
    citizen_id: str,
    provider: Provider,
    scene: Scene,
    request_key: str,
    now: datetime,
) -> tuple[Order, Attempt, bool]:
    """Write an attempt down before the provider is asked; return the order, it, and whether new.

    The same `request_key` returns the attempt already there. Raises OrderNotFound, OrderNotPayable
    and TooManyAttempts.
    """
    order = lock_order(session, order_id=order_id)
    if order.citizen_id != citizen_id:
        raise OrderNotFound
    key = {"book_id": order.book_id, "order_id": order.id}
    earlier = session.scalars(
        select(Attempt).filter_by(**key, request_key=request_key)
    ).one_or_none()
    if earlier is not None:
        return order, earlier, False
    if not payable(order, now=now):
        raise OrderNotPayable
    begun = session.scalar(select(func.count()).select_from(Attempt).filter_by(**key))
    if begun is not None and begun >= ATTEMPTS_PER_ORDER:
        raise TooManyAttempts
    book_id = BookId(order.book_id)
    attempt = Attempt(
        **key,
        id=new_book_id("att", book_id),
        number=new_provider_number(book_id),
        request_key=request_key,
        provider=provider.name,
        account_id=provider.account_id,
        scene=scene,
        state=ATTEMPT.initial,
        amount_minor=order.amount_minor,
        currency=order.currency,
        client={},
        reason="",
        started_at=now,
        queries=0,
        next_query_at=now + START_GRACE,
    )
    session.add(attempt)
    session.flush()
    return order, attempt, True


def record_start(
    session: Session, *, attempt: Attempt, started: Started, repeated: bool, now: datetime
) -> tuple[Order, Attempt]:
    """Record what the provider answered to the start of an attempt.

    A refusal of a repeated start is silence: the first may have been accepted.
    """
    order = lock_order(session, order_id=attempt.order_id)
    current = session.get_one(Attempt, (attempt.book_id, attempt.id), populate_existing=True)
    heard = HEARD_AT_START.get(started.outcome, AttemptEvent.SILENCE)
    if heard is AttemptEvent.FAIL and repeated:
        heard = AttemptEvent.SILENCE
    current.state = ATTEMPT.next(AttemptState(current.state), heard)
    current.client = dict(started.client) or current.client
    current.provider_number = started.provider_number or current.provider_number
    current.reason = started.reason[:REASON_LENGTH]
    if AttemptState(current.state) not in LIVE:
        current.next_query_at = None
    elif started.outcome is Outcome.SUCCEEDED or not payable(order, now=now):
        current.next_query_at = now
    else:
        current.next_query_at = next_query_at(current.queries, now)
    session.flush()
    return order, current


def payable(order: Order, *, now: datetime) -> bool:
    """Tell whether an attempt may start: open, not being closed, and within its time."""
    return order.state == OrderState.OPEN and order.closing_since is None and now < order.expires_at
