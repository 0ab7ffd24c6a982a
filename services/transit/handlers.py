"""What transit does when it hears that an order was paid, closed or refunded.

A fact may be told twice; each handler moves a ticket along an edge that it can only take once.
"""

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from payments.orders.facts import OrderClosed, OrderPaid
from payments.refunds.facts import RefundFailed, RefundSucceeded
from services.transit import operations
from services.transit.postings import SERVICE
from services.transit.rules.tickets import PICK_UP_LENGTH


def issue_ticket(session: Session, fact: OrderPaid, *, now: datetime) -> None:  # noqa: ARG001  handlers are called alike
    """Issue the ticket of a paid order."""
    if fact.service == SERVICE:
        operations.issue(
            session,
            ticket_id=fact.service_reference,
            paid_at=fact.paid_at,
            random_bytes=secrets.token_bytes(PICK_UP_LENGTH),
        )


def lapse_ticket(session: Session, fact: OrderClosed, *, now: datetime) -> None:  # noqa: ARG001  likewise
    """Let the ticket of an order that was closed unpaid lapse."""
    if fact.service == SERVICE:
        operations.lapse(session, ticket_id=fact.service_reference, now=fact.closed_at)


def note_refund(session: Session, fact: RefundSucceeded, *, now: datetime) -> None:  # noqa: ARG001  likewise
    """Note that the money of a ticket is back."""
    if fact.service == SERVICE:
        operations.returned(
            session,
            ticket_id=fact.service_reference,
            refund_id=fact.refund_id,
            amount_minor=fact.amount_minor,
            now=fact.happened_at,
        )


def note_refusal(session: Session, fact: RefundFailed, *, now: datetime) -> None:  # noqa: ARG001  likewise
    """Make the ticket good again whose refund the provider refused."""
    if fact.service == SERVICE:
        operations.refused(session, ticket_id=fact.service_reference, refund_id=fact.refund_id)
