"""Buying, issuing, collecting and returning tickets, each in the caller's transaction.

Every change of state is one guarded UPDATE: whoever comes second, however close, finds no row. So
of a collection and a refund at the same moment exactly one happens.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from payments.events import operations as events
from payments.kernel.clock import business_date
from payments.kernel.errors import Conflict, Invalid, NotFound
from payments.kernel.ids import BookId, book_of, new_book_id
from payments.ledger import operations as ledger
from payments.orders import operations as orders
from payments.orders.models import Order
from payments.refunds import operations as refunds
from services.transit import queries
from services.transit.facts import TicketCollected
from services.transit.models import Ticket
from services.transit.postings import SERVICE, TICKET_COLLECTED
from services.transit.reference.versions import Reference
from services.transit.rules.policies import Policy
from services.transit.rules.tickets import (
    TICKET,
    RefundReason,
    TicketEvent,
    TicketState,
    collect_until,
    pick_up_code,
    read_pick_up_code,
    sources,
    target,
)


class TooManyTickets(Invalid):
    """More journeys than one order may hold, or none."""

    code = "transit-ticket-count"
    zh = "车票张数不正确"
    en = "One order cannot hold this number of tickets"


class TicketNotRefundable(Conflict):
    """Only a paid ticket that was not collected can be given back."""

    code = "transit-ticket-not-refundable"
    zh = "车票当前状态不能退票"
    en = "The ticket cannot be refunded in its present state"


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
    return _move(
        session,
        TicketEvent.PAY,
        Ticket.book_id == book_of(ticket_id),
        Ticket.id == ticket_id,
        pick_up_code=pick_up_code(random_bytes),
        paid_at=paid_at,
    )


def lapse(session: Session, *, ticket_id: str, now: datetime) -> Ticket | None:
    """Let a ticket whose order was closed unpaid lapse; None when that was done before."""
    return _move(
        session,
        TicketEvent.CLOSE,
        Ticket.book_id == book_of(ticket_id),
        Ticket.id == ticket_id,
        lapsed_at=now,
    )


def collect(session: Session, *, book_id: str, device_id: str, code: str, now: datetime) -> Ticket:
    """Hand out a paid ticket at a kiosk, exactly once, and earn its fare.

    Raises PickUpCodeMalformed, PickUpCodeUnknown, TicketNotCollectable.
    """
    code = read_pick_up_code(code)
    ticket = _move(
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
    """Return the money of tickets whose time for collection is over; say how many were found."""
    found = queries.uncollected(session, now=now, limit=limit)
    for book_id, ticket_id in found:
        _return(
            session,
            book_id=book_id,
            ticket_id=ticket_id,
            reason=RefundReason.NOT_COLLECTED,
            now=now,
        )
    return len(found)


def returned(
    session: Session, *, ticket_id: str, refund_id: str, amount_minor: int, now: datetime
) -> Ticket | None:
    """Note that all of the money is back; None when that was noted before, or it is a part."""
    return _move(
        session,
        TicketEvent.RETURN,
        Ticket.book_id == book_of(ticket_id),
        Ticket.id == ticket_id,
        Ticket.amount_minor == amount_minor,
        refund_id=refund_id,
        refunded_at=now,
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
        reference=ticket.id,
        now=now,
    )
    return _move(session, TicketEvent.REFUND, *this, refund_id=refund.id, refund_reason=reason)


def _move(
    session: Session, event: TicketEvent, *conditions: ColumnElement[bool], **changes: Any
) -> Ticket | None:
    """Let an event happen to a ticket if its state allows it; None when it does not."""
    return session.scalars(
        update(Ticket)
        .where(*conditions, Ticket.state.in_(sources(event)))
        .values(state=target(event), **changes)
        .returning(Ticket),
        execution_options={"synchronize_session": False, "populate_existing": True},
    ).one_or_none()
