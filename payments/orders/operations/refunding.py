"""The order's refund reservation: guarded updates, so no race returns more than was paid."""

from typing import cast

from sqlalchemy import ColumnElement, CursorResult, update
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.orders.models import Order
from payments.orders.rules import OrderState


class RefundExceeds(Conflict):
    """The order is not paid, or less than this is left of what was paid."""

    code = "refund-exceeds"
    zh = "退款金额超过可退金额"
    en = "Less than this can be refunded"


def reserve_refund(session: Session, *, order: Order, amount_minor: int) -> None:
    """Reserve part of what was paid for a refund. Raises RefundExceeds."""
    left = Order.amount_minor - Order.refunding_minor - Order.refunded_minor
    if not _update(
        session,
        order,
        {"refunding_minor": Order.refunding_minor + amount_minor},
        Order.state == OrderState.PAID,
        left >= amount_minor,
    ):
        raise RefundExceeds


def release_refund(session: Session, *, order: Order, amount_minor: int) -> None:
    """Give up a reservation because its refund failed."""
    done = _update(session, order, {"refunding_minor": Order.refunding_minor - amount_minor})
    assert done, "a reservation was made on this order"


def complete_refund(session: Session, *, order: Order, amount_minor: int) -> None:
    """Turn a reservation into money returned."""
    done = _update(
        session,
        order,
        {
            "refunding_minor": Order.refunding_minor - amount_minor,
            "refunded_minor": Order.refunded_minor + amount_minor,
        },
    )
    assert done, "a reservation was made on this order"


def _update(
    session: Session,
    order: Order,
    values: dict[str, ColumnElement[int]],
    *conditions: ColumnElement[bool],
) -> bool:
    done = session.execute(
        update(Order)
        .where(Order.book_id == order.book_id, Order.id == order.id, *conditions)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
    return cast("CursorResult[object]", done).rowcount == 1
