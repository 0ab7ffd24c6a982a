"""Handing out tickets at kiosks."""

from datetime import datetime

from sqlalchemy.orm import Session

from payments.events import operations as events
from payments.kernel.errors import Conflict, NotFound
from payments.kernel.ids import BookId
from payments.ledger import operations as ledger
from services.transit import queries
from services.transit.facts import TicketCollected
from services.transit.models import Ticket
from services.transit.operations.moving import move
from services.transit.postings import TICKET_COLLECTED
from services.transit.rules.tickets import TicketEvent, read_pick_up_code


class PickUpCodeUnknown(NotFound):
    """No ticket of this operator has the code."""

    code = "transit-pick-up-code-unknown"
    zh = "取票码不存在"
    en = "No ticket has this pick-up code"


class TicketNotCollectable(Conflict):
    """The ticket was collected or given back before, or its time is over."""

    code = "transit-ticket-not-collectable"
    zh = "车票已取走、已退款或已过期"
    en = "The ticket was collected or refunded before, or its time is over"


def collect(session: Session, *, book_id: str, device_id: str, code: str, now: datetime) -> Ticket:
    """Hand out a paid ticket at a kiosk, exactly once, and earn its fare.

    Raises PickUpCodeMalformed, PickUpCodeUnknown, TicketNotCollectable.
    """
    code = read_pick_up_code(code)
    ticket = move(
        session,
        TicketEvent.COLLECT,
        Ticket.book_id == book_id,
        Ticket.pick_up_code == code,
        Ticket.collect_until > now,
        collected_at=now,
        collected_by=device_id,
    )
    if ticket is None:
        known = queries.by_pick_up_code(session, book_id=book_id, pick_up_code=code)
        raise PickUpCodeUnknown if known is None else TicketNotCollectable
    ledger.post(
        session,
        book_id=BookId(book_id),
        template=TICKET_COLLECTED,
        amounts={"amount": ticket.amount_minor},
        parameters={},
        reference=ticket.id,
        effective_at=now,
        now=now,
        metadata={"order_id": ticket.order_id, "device_id": device_id},
    )
    events.record(
        session,
        TicketCollected(
            book_id=BookId(book_id),
            ticket_id=ticket.id,
            order_id=ticket.order_id,
            from_station=ticket.from_station,
            to_station=ticket.to_station,
            count=ticket.count,
            amount_minor=ticket.amount_minor,
            currency=ticket.currency,
            device_id=device_id,
            collected_at=now,
        ),
        now=now,
    )
    return ticket
