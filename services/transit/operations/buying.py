"""Buying tickets, and what becomes of them while they are unpaid."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.errors import Invalid
from payments.kernel.ids import BookId, book_of, new_book_id
from payments.orders import operations as orders
from payments.orders.models import Order
from services.transit.models import Ticket
from services.transit.operations.moving import move
from services.transit.postings import SERVICE
from services.transit.reference.versions import Reference
from services.transit.rules.policies import Policy
from services.transit.rules.tickets import TICKET, TicketEvent, collect_until, pick_up_code


class TooManyTickets(Invalid):
    """More journeys than one order may hold, or none."""

    code = "transit-ticket-count"
    zh = "车票张数不正确"
    en = "One order cannot hold this number of tickets"


def buy(
    session: Session,
    *,
    reference: Reference,
    citizen_id: str,
    from_station: str,
    to_station: str,
    count: int,
    now: datetime,
) -> Ticket:
    """Order `count` single journeys: the ticket and its payment order, in one transaction.

    Raises StationUnknown, SameStation, TooManyTickets.
    """
    day = business_date(now)
    policies = reference.policies
    if not 1 <= count <= policies.value(Policy.TICKETS_PER_ORDER, on=day):
        raise TooManyTickets
    network = reference.network(on=day)
    fare = reference.fare(from_station, to_station, on=day)
    start, end = network.station(from_station), network.station(to_station)
    book_id = network.operator_of(from_station).book_id
    ticket = Ticket(
        book_id=book_id,
        id=new_book_id("tkt", book_id),
        citizen_id=citizen_id,
        state=TICKET.initial,
        from_station=from_station,
        to_station=to_station,
        count=count,
        fare_minor=fare.amount_minor,
        amount_minor=fare.amount_minor * count,
        currency=fare.currency,
        distance_m=fare.distance_m,
        explanation=fare.explanation.as_json(),
        ordered_at=now,
        pay_until=now + timedelta(minutes=policies.value(Policy.PAYMENT_WINDOW, on=day)),
        collect_until=collect_until(
            now,
            starts_minutes=policies.value(Policy.SERVICE_DAY_STARTS, on=day),
            service_days=policies.value(Policy.COLLECTION_DAYS, on=day),
        ),
    )
    ticket.order_id = _place(
        session, ticket, subject=f"地铁单程票 {start.name_zh}—{end.name_zh} ×{count}"
    ).id
    session.add(ticket)
    session.flush()
    return ticket


def issue(
    session: Session, *, ticket_id: str, paid_at: datetime, random_bytes: bytes
) -> Ticket | None:
    """Give a paid ticket its pick-up code; None when that was done before."""
    return move(
        session,
        TicketEvent.PAY,
        Ticket.book_id == book_of(ticket_id),
        Ticket.id == ticket_id,
        pick_up_code=pick_up_code(random_bytes),
        paid_at=paid_at,
    )


def lapse(session: Session, *, ticket_id: str, now: datetime) -> Ticket | None:
    """Let a ticket whose order was closed unpaid lapse; None when that was done before."""
    return move(
        session,
        TicketEvent.CLOSE,
        Ticket.book_id == book_of(ticket_id),
        Ticket.id == ticket_id,
        lapsed_at=now,
    )


def _place(session: Session, ticket: Ticket, *, subject: str) -> Order:
    return orders.place(
        session,
        book_id=BookId(ticket.book_id),
        service=SERVICE,
        service_reference=ticket.id,
        citizen_id=ticket.citizen_id,
        amount_minor=ticket.amount_minor,
        currency=ticket.currency,
        subject=subject,
        expires_at=ticket.pay_until,
        metadata={
            "from": ticket.from_station,
            "to": ticket.to_station,
            "count": ticket.count,
        },
        now=ticket.ordered_at,
    )
