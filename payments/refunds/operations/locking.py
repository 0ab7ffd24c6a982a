"""Finding a refund with its order locked: the order row is taken first, as everywhere."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId, book_of
from payments.orders import operations as orders
from payments.orders.models import Attempt, Order
from payments.refunds.models import Refund
from payments.refunds.queries import RefundNotFound
from payments.refunds.rules import Origin, RefundState


def lock_refund(session: Session, *, refund_id: str) -> tuple[Order, Refund]:
    """Return a refund and its order, locked. Raises RefundNotFound."""
    found = _lock(session, Refund.book_id == book_of(refund_id), Refund.id == refund_id)
    if found is None:
        raise RefundNotFound
    return found


def lock_by_number(
    session: Session, *, book_id: BookId, number: str
) -> tuple[Order, Refund] | None:
    """Return the refund of a provider refund number and its order, locked; None if none."""
    return _lock(session, Refund.book_id == book_id, Refund.number == number)


def by_reference(session: Session, *, order: Order, reference: str) -> Refund | None:
    """Return the refund that was requested under a reference."""
    return session.scalars(
        select(Refund).filter_by(book_id=order.book_id, order_id=order.id, reference=reference)
    ).one_or_none()


def surplus_return(session: Session, *, attempt_id: str) -> Refund | None:
    """Return the one return of a surplus that has not failed."""
    return session.scalars(
        select(Refund)
        .filter_by(book_id=book_of(attempt_id), attempt_id=attempt_id, origin=Origin.SUSPENSE)
        .where(Refund.state != RefundState.FAILED)
    ).one_or_none()


def attempt_of(session: Session, *, order: Order, attempt_id: str) -> Attempt:
    """Return an attempt of a locked order. Raises RefundNotFound when it belongs to another."""
    attempt = session.get(Attempt, (order.book_id, attempt_id), populate_existing=True)
    if attempt is None or attempt.order_id != order.id:
        raise RefundNotFound
    return attempt


def _lock(session: Session, *which: ColumnElement[bool]) -> tuple[Order, Refund] | None:
    order_id = session.scalars(select(Refund.order_id).where(*which)).one_or_none()
    if order_id is None:
        return None
    order = orders.lock_order(session, order_id=order_id)
    refund = session.scalars(
        select(Refund).where(*which).execution_options(populate_existing=True)
    ).one()
    return order, refund
