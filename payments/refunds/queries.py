"""Reading refunds."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId, book_of
from payments.orders.models import Order
from payments.refunds.models import Refund
from payments.refunds.rules import Origin


class RefundNotFound(NotFound):
    """There is no such refund, or it is not theirs."""

    code = "refund-not-found"
    zh = "没有找到退款"
    en = "There is no such refund"


def refund(session: Session, *, refund_id: str) -> Refund:
    """Return a refund. Raises RefundNotFound."""
    found = session.get(Refund, (book_of(refund_id), refund_id))
    if found is None:
        raise RefundNotFound
    return found


def refunds_of_order(session: Session, *, order: Order) -> Sequence[Refund]:
    """Return the refunds of what was paid for an order, in the order they were requested."""
    return _of(session, order, Origin.ORDER)


def returns_of_order(session: Session, *, order: Order) -> Sequence[Refund]:
    """Return the returns of surplus payments made on an order."""
    return _of(session, order, Origin.SUSPENSE)


def books_with_refunds_due(session: Session, *, now: datetime) -> Sequence[BookId]:
    """Return the books in which a refund is to be sent or asked about now."""
    found = session.scalars(select(Refund.book_id).where(Refund.next_try_at <= now).distinct())
    return [BookId(book_id) for book_id in found.all()]


def _of(session: Session, order: Order, origin: Origin) -> Sequence[Refund]:
    return session.scalars(
        select(Refund)
        .filter_by(book_id=order.book_id, order_id=order.id, origin=origin)
        .order_by(Refund.requested_at, Refund.id)
    ).all()
