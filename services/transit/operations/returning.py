"""Giving the money of uncollected tickets back."""

import logging
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict, QiantangError
from payments.kernel.ids import book_of
from payments.refunds import operations as refunds
from services.transit import queries
from services.transit.models import Ticket
from services.transit.operations.moving import move
from services.transit.rules.tickets import RefundReason, TicketEvent, TicketState

logger = logging.getLogger(__name__)


class TicketNotRefundable(Conflict):
    """Only a paid ticket that was not collected can be given back."""

    code = "transit-ticket-not-refundable"
    zh = "车票当前状态不能退票"
    en = "The ticket cannot be refunded in its present state"


def give_back(session: Session, *, ticket_id: str, citizen_id: str, now: datetime) -> Ticket:
    """Return the money of a citizen's uncollected ticket.

    Raises TicketUnknown, TicketNotRefundable.
    """
    ticket = queries.ticket(session, ticket_id=ticket_id, citizen_id=citizen_id)
    returned = _return(
        session, book_id=ticket.book_id, ticket_id=ticket_id, reason=RefundReason.ASKED, now=now
    )
    if returned is None:
        raise TicketNotRefundable
    return returned


def return_uncollected(session: Session, *, now: datetime, limit: int) -> int:
    """Return the money of tickets whose time for collection is over; say how many were returned.

    A ticket that cannot be returned, a clerk having refunded a part, does not hold up others.
    """
    returned = 0
    for book_id, ticket_id in queries.uncollected(session, now=now, limit=limit):
        try:
            with session.begin_nested():
                ticket = _return(
                    session,
                    book_id=book_id,
                    ticket_id=ticket_id,
                    reason=RefundReason.NOT_COLLECTED,
                    now=now,
                )
        except QiantangError:
            logger.exception("cannot return the money of %s", ticket_id)
        else:
            returned += ticket is not None
    return returned


def returned(
    session: Session, *, ticket_id: str, refund_id: str, amount_minor: int, now: datetime
) -> Ticket | None:
    """Note that all of the money is back; None when that was noted before, or it is a part."""
    return move(
        session,
        TicketEvent.RETURN,
        Ticket.book_id == book_of(ticket_id),
        Ticket.id == ticket_id,
        Ticket.amount_minor == amount_minor,
        refund_id=refund_id,
        refunded_at=now,
    )


def refused(session: Session, *, ticket_id: str, refund_id: str) -> Ticket | None:
    """Make a ticket good again whose refund was refused; None when that was done before."""
    return move(
        session,
        TicketEvent.REFUSE,
        Ticket.book_id == book_of(ticket_id),
        Ticket.id == ticket_id,
        Ticket.refund_id == refund_id,
        refund_id=None,
        refund_reason=None,
        refused_refund_id=refund_id,
    )


def _return(
    session: Session, *, book_id: str, ticket_id: str, reason: RefundReason, now: datetime
) -> Ticket | None:
    """Ask for the refund of a ticket that is still paid; None when it is not."""
    this = (Ticket.book_id == book_id, Ticket.id == ticket_id)
    ticket = session.scalar(
        select(Ticket)
        .where(*this, Ticket.state == TicketState.PAID)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if ticket is None:
        return None
    refund = refunds.request(
        session,
        order_id=ticket.order_id,
        amount_minor=ticket.amount_minor,
        reason=str(reason),
        reference=ticket.refused_refund_id or ticket.id,
        now=now,
    )
    return move(session, TicketEvent.REFUND, *this, refund_id=refund.id, refund_reason=reason)
