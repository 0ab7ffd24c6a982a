"""Reading orders, attempts and cases; what is not theirs is not found."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId, book_of
from payments.orders.models import Attempt, Case, Order


class OrderNotFound(NotFound):
    """There is no such order, or it is not theirs."""

    code = "order-not-found"
    zh = "没有找到订单"
    en = "There is no such order"


def order(
    session: Session,
    *,
    order_id: str,
    citizen_id: str | None = None,
    book_id: BookId | None = None,
) -> Order:
    """Return an order to the citizen who owes it or to the merchant in whose book it lies.

    Exactly one of the two is named. Raises OrderNotFound for everybody else.
    """
    assert (citizen_id is None) != (book_id is None), "name whoever asks"
    found = session.scalars(
        select(Order).where(Order.book_id == book_of(order_id), Order.id == order_id)
    ).one_or_none()
    if found is None or (citizen_id or found.citizen_id) != found.citizen_id:
        raise OrderNotFound
    if (book_id or found.book_id) != found.book_id:
        raise OrderNotFound
    return found


def orders_of_citizen(
    session: Session,
    *,
    citizen_id: str,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> Sequence[Order]:
    """Return a citizen's orders across all services, newest first.

    `before` is the (placed_at, id) of the last order of the page before.
    """
    statement = select(Order).where(Order.citizen_id == citizen_id)
    if before is not None:
        placed_at, order_id = before
        statement = statement.where(
            (Order.placed_at < placed_at) | ((Order.placed_at == placed_at) & (Order.id < order_id))
        )
    newest_first = statement.order_by(Order.placed_at.desc(), Order.id.desc())
    return session.scalars(newest_first.limit(limit)).all()


def orders_of_book(
    session: Session, *, book_id: BookId, limit: int, before: str | None = None
) -> Sequence[Order]:
    """Return a merchant's orders of all services, newest first; `before` is the last id seen."""
    statement = select(Order).where(Order.book_id == book_id)
    if before is not None:
        statement = statement.where(Order.id < before)
    return session.scalars(statement.order_by(Order.id.desc()).limit(limit)).all()


def attempts(session: Session, *, order: Order) -> Sequence[Attempt]:
    """Return the attempts to pay an order, in the order they were begun."""
    return session.scalars(
        select(Attempt)
        .where(Attempt.book_id == order.book_id, Attempt.order_id == order.id)
        .order_by(Attempt.started_at, Attempt.id)
    ).all()


def attempt(session: Session, *, book_id: BookId, attempt_id: str) -> Attempt:
    """Return one attempt."""
    return session.get_one(Attempt, (book_id, attempt_id))


def books_with_attempts_due(session: Session, *, now: datetime) -> Sequence[BookId]:
    """Return the books in which a provider is to be asked now."""
    found = session.scalars(
        select(Attempt.book_id).where(Attempt.next_query_at <= now).distinct()
    ).all()
    return [BookId(book_id) for book_id in found]


def books_with_orders_to_close(session: Session, *, now: datetime) -> Sequence[BookId]:
    """Return the books in which an order is past its time."""
    found = session.scalars(select(Order.book_id).where(Order.next_close_at <= now).distinct())
    return [BookId(book_id) for book_id in found.all()]


def open_cases(session: Session, *, limit: int) -> Sequence[Case]:
    """Return the cases nobody has resolved, oldest first."""
    return session.scalars(
        select(Case)
        .where(Case.resolved_at.is_(None))
        .order_by(Case.opened_at, Case.id)
        .limit(limit)
    ).all()
