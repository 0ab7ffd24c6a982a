"""Sending refunds and asking what became of them; the same number on every try."""

import logging
from typing import Final

from sqlalchemy.orm import Session

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.providers.interface import Outcome, RefundInstruction, RefundReference
from payments.providers.registry import Providers
from payments.refunds import operations, queries
from payments.refunds.operations import Claimed

BATCH_SIZE: Final = 4  # Claimed for CLAIM; each may take one provider time-out.

logger = logging.getLogger(__name__)


def send(database: Database, *, providers: Providers, clock: Clock, limit: int = BATCH_SIZE) -> int:
    """Send the refunds that are due, and ask about those that were sent; return how many.

    A refund that was ever sent is asked about first, and sent again only when the provider does not
    know it. Any number of sweeps may run at once.
    """
    with database.transaction() as session:
        books = queries.books_with_refunds_due(session, now=clock.now())
    handled = 0
    for book_id in books:
        with database.transaction() as session:
            claimed = operations.claim_due(
                session, book_id=book_id, limit=limit - handled, now=clock.now()
            )
        for one in claimed:
            try:
                _send(database, one, providers=providers, clock=clock)
            except Exception:
                logger.exception("could not send %s", one.refund.id)
        handled += len(claimed)
        if handled >= limit:
            break
    return handled


def _send(database: Database, claimed: Claimed, *, providers: Providers, clock: Clock) -> None:
    refund = claimed.refund
    provider = providers.get(refund.account_id)
    report = None
    if not claimed.first:
        asked = RefundReference(number=claimed.payment_number, refund_number=refund.number)
        report = provider.query(asked, now=clock.now())
    if report is None or report.outcome is Outcome.NOT_FOUND:
        report = provider.refund(_instruction(claimed), now=clock.now())

    def record(session: Session) -> None:
        now = clock.now()
        operations.apply_report(
            session, provider=provider, report=report, asked_number=refund.number, now=now
        )
        operations.reschedule(session, refund=refund, now=now)

    database.run(record)


def _instruction(claimed: Claimed) -> RefundInstruction:
    refund = claimed.refund
    return RefundInstruction(
        number=claimed.payment_number,
        refund_number=refund.number,
        amount_minor=refund.amount_minor,
        paid_minor=claimed.paid_minor,
        reason=refund.reason,
        currency=refund.currency,
    )
