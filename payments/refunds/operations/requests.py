"""Asking for a refund, and approving it. The money is reserved from the moment it is asked for."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict, Forbidden, Invalid
from payments.kernel.ids import BookId, new_book_id, new_provider_number
from payments.orders import operations as orders
from payments.orders.models import Attempt
from payments.orders.operations import RefundExceeds
from payments.refunds.models import Refund
from payments.refunds.operations.locking import (
    attempt_of,
    by_reference,
    lock_refund,
    surplus_return,
)
from payments.refunds.rules import (
    CHANNEL,
    REASON_LENGTH,
    REFERENCE_LENGTH,
    REFUND,
    Origin,
    RefundEvent,
    RefundState,
)


class RefundInvalid(Invalid):
    """What was asked for cannot be a refund."""

    code = "refund-invalid"
    zh = "退款内容不正确"
    en = "This cannot be a refund"


class RefundDiffers(Conflict):
    """A refund of another amount was requested under this reference."""

    code = "refund-differs"
    zh = "该退款单号已用于另一笔退款"
    en = "Another refund was requested under this reference"


class SameApprover(Forbidden):
    """Whoever asked for a refund cannot approve it."""

    code = "same-approver"
    zh = "申请人不能审批自己的退款"
    en = "Somebody else has to approve this"


def request(
    session: Session,
    *,
    order_id: str,
    amount_minor: int,
    reason: str,
    reference: str,
    requested_by: str | None = None,
    now: datetime,
) -> Refund:
    """Request the refund of part or all of a paid order, in fen; return it.

    Without `requested_by` it is automatic and approved at once; else somebody else approves it.
    The same `reference` on the order is the same refund. Raises OrderNotFound, RefundInvalid,
    RefundDiffers and RefundExceeds.
    """
    if amount_minor <= 0 or not 0 < len(reference) <= REFERENCE_LENGTH:
        raise RefundInvalid("an amount in fen and a reference")
    order = orders.lock_order(session, order_id=order_id)
    earlier = by_reference(session, order=order, reference=reference)
    if earlier is not None:
        if earlier.amount_minor != amount_minor:
            raise RefundDiffers(reference)
        return earlier
    if order.paid_attempt_id is None:
        raise RefundExceeds
    attempt = attempt_of(session, order=order, attempt_id=order.paid_attempt_id)
    orders.reserve_refund(session, order=order, amount_minor=amount_minor)
    return _insert(
        session,
        attempt=attempt,
        origin=Origin.ORDER,
        amount_minor=amount_minor,
        reason=reason,
        reference=reference,
        requested_by=requested_by,
        now=now,
    )


def return_surplus(
    session: Session, *, order_id: str, attempt_id: str, reference: str, reason: str, now: datetime
) -> Refund:
    """Return a payment that belongs to no order, in full; at most one return is ever under way.

    The same `reference` is the same refund; after a failed one, another may be asked for under
    another reference.
    """
    order = orders.lock_order(session, order_id=order_id)
    earlier = by_reference(session, order=order, reference=reference)
    if earlier is not None:
        return earlier
    attempt = attempt_of(session, order=order, attempt_id=attempt_id)
    if attempt.surplus is None:
        raise RefundInvalid(f"{attempt_id} is no surplus")
    other = surplus_return(session, attempt_id=attempt_id)
    if other is not None:
        raise RefundDiffers(other.reference)
    return _insert(
        session,
        attempt=attempt,
        origin=Origin.SUSPENSE,
        amount_minor=attempt.amount_minor,
        reason=reason,
        reference=reference,
        requested_by=None,
        now=now,
    )


def approve(session: Session, *, refund_id: str, approver: str, now: datetime) -> Refund:
    """Approve a requested refund. Raises RefundNotFound, TransitionRefused and SameApprover."""
    _, refund = lock_refund(session, refund_id=refund_id)
    if refund.requested_by == approver:
        raise SameApprover
    refund.state = REFUND.next(RefundState(refund.state), RefundEvent.APPROVE)
    refund.approved_at, refund.approved_by, refund.next_try_at = now, approver, now
    session.flush()
    _wake_the_sweep(session)
    return refund


def refuse(session: Session, *, refund_id: str, answer: str) -> Refund:
    """Refuse a requested refund and release its money. Raises RefundNotFound, TransitionRefused."""
    order, refund = lock_refund(session, refund_id=refund_id)
    refund.state = REFUND.next(RefundState(refund.state), RefundEvent.REFUSE)
    refund.answer = answer[:REASON_LENGTH]
    session.flush()
    orders.release_refund(session, order=order, amount_minor=refund.amount_minor)
    return refund


def _insert(
    session: Session,
    *,
    attempt: Attempt,
    origin: Origin,
    amount_minor: int,
    reason: str,
    reference: str,
    requested_by: str | None,
    now: datetime,
) -> Refund:
    book_id = BookId(attempt.book_id)
    refund = Refund(
        book_id=book_id,
        id=new_book_id("rfd", book_id),
        order_id=attempt.order_id,
        attempt_id=attempt.id,
        origin=origin,
        reference=reference,
        number=new_provider_number(book_id),
        account_id=attempt.account_id,
        state=REFUND.initial,
        amount_minor=amount_minor,
        currency=attempt.currency,
        reason=reason[:REASON_LENGTH],
        answer="",
        requested_at=now,
        requested_by=requested_by,
        tries=0,
    )
    if requested_by is None:
        refund.state = REFUND.next(REFUND.initial, RefundEvent.APPROVE)
        refund.approved_at = refund.next_try_at = now
    session.add(refund)
    session.flush()
    if requested_by is None:
        _wake_the_sweep(session)
    return refund


def _wake_the_sweep(session: Session) -> None:
    """The notification leaves with the commit; without it the sweep comes a little later."""
    session.execute(select(func.pg_notify(CHANNEL, "")))
