"""Claiming refunds that are due: a lease, taken with SKIP LOCKED in one book at a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId
from payments.orders.models import Attempt
from payments.refunds.models import Refund
from payments.refunds.rules import CLAIM, REFUND, RefundEvent, RefundState


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A refund to send or ask about; `paid_minor` and `payment_number` are of its payment.

    `first` tells that it has never been sent, so there is nothing to ask about.
    """

    refund: Refund
    payment_number: str
    paid_minor: int
    first: bool


def claim_due(session: Session, *, book_id: BookId, limit: int, now: datetime) -> list[Claimed]:
    """Claim refunds of a book that are to be sent, or asked about, now.

    A refund is marked as sent before it is sent: whoever finds it so asks before sending again.
    """
    due = (
        select(Refund)
        .where(Refund.book_id == book_id, Refund.next_try_at <= now)
        .order_by(Refund.next_try_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [_claim(session, refund, now=now) for refund in session.scalars(due).all()]


def _claim(session: Session, refund: Refund, *, now: datetime) -> Claimed:
    first = refund.state == RefundState.APPROVED
    refund.state = REFUND.next(RefundState(refund.state), RefundEvent.SEND)
    refund.sent_at = refund.sent_at or now
    refund.tries += 1
    refund.next_try_at = now + CLAIM
    payment = session.get_one(Attempt, (refund.book_id, refund.attempt_id))
    session.flush()
    return Claimed(
        refund=refund,
        payment_number=payment.number,
        paid_minor=payment.amount_minor,
        first=first,
    )
