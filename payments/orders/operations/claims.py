"""Claiming what is due: a lease, taken with SKIP LOCKED in one book at a time.

A claim moves the due moment ahead, so a worker that dies loses nothing but the lease's length.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId
from payments.orders.models import Attempt, Order
from payments.orders.rules import CLAIM, LIVE, LOOK_INTERVAL, next_query_at


def claim_attempts(
    session: Session, *, book_id: BookId, limit: int, now: datetime
) -> Sequence[Attempt]:
    """Claim attempts of a book whose provider is to be asked now."""
    due = (
        select(Attempt.id)
        .where(Attempt.book_id == book_id, Attempt.next_query_at <= now)
        .order_by(Attempt.next_query_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return _lease(session, Attempt.id.in_(due), book_id=book_id, asked=1, now=now)


def claim_attempts_of_order(session: Session, *, order: Order, now: datetime) -> Sequence[Attempt]:
    """Claim the live attempts of an order that nobody has asked about for a while.

    Such a question does not slow the schedule down.
    """
    quiet_since = func.coalesce(Attempt.last_query_at, Attempt.started_at)
    return _lease(
        session,
        Attempt.order_id == order.id,
        Attempt.state.in_(LIVE),
        quiet_since <= now - LOOK_INTERVAL,
        book_id=BookId(order.book_id),
        asked=0,
        now=now,
    )


def reschedule(session: Session, *, attempt: Attempt, now: datetime) -> None:
    """Set when to ask about a claimed attempt again, if it is still live."""
    session.execute(
        update(Attempt)
        .where(Attempt.book_id == attempt.book_id, Attempt.id == attempt.id)
        .where(Attempt.state.in_(LIVE))
        .values(next_query_at=next_query_at(attempt.queries, now))
    )


def claim_orders_to_close(
    session: Session, *, book_id: BookId, limit: int, now: datetime
) -> Sequence[str]:
    """Claim orders of a book that are past their time, or whose closing has to be tried again."""
    due = (
        select(Order.id)
        .where(Order.book_id == book_id, Order.next_close_at <= now)
        .order_by(Order.next_close_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return session.scalars(
        update(Order)
        .where(Order.book_id == book_id, Order.id.in_(due))
        .values(next_close_at=now + CLAIM)
        .returning(Order.id)
    ).all()


def _lease(
    session: Session,
    *which: ColumnElement[bool],
    book_id: BookId,
    asked: int,
    now: datetime,
) -> Sequence[Attempt]:
    return session.scalars(
        update(Attempt)
        .where(Attempt.book_id == book_id, *which)
        .values(
            next_query_at=now + CLAIM,
            last_query_at=now,
            queries=Attempt.queries + asked,
        )
        .returning(Attempt)
    ).all()
