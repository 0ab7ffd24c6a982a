"""The order row is the lock of everything about the order: it is taken first, before attempts."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId, book_of
from payments.orders.models import Attempt, Order
from payments.orders.queries import OrderNotFound


def lock_order(session: Session, *, order_id: str) -> Order:
    """Return the order, locked until the transaction ends. Raises OrderNotFound."""
    order = session.scalars(
        select(Order)
        .where(Order.book_id == book_of(order_id), Order.id == order_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if order is None:
        raise OrderNotFound
    return order


def lock_by_number(
    session: Session, *, book_id: BookId, number: str
) -> tuple[Order, Attempt] | None:
    """Return the attempt of a provider order number and its order, locked; None if there is none.

    The attempt is read again once the order is locked.
    """
    order_id = session.scalars(
        select(Attempt.order_id).where(Attempt.book_id == book_id, Attempt.number == number)
    ).one_or_none()
    if order_id is None:
        return None
    order = lock_order(session, order_id=order_id)
    attempt = session.scalars(
        select(Attempt)
        .where(Attempt.book_id == book_id, Attempt.number == number)
        .execution_options(populate_existing=True)
    ).one()
    return order, attempt
