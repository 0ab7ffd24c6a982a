"""What is known of tickets; nothing here changes anything."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import book_of
from services.transit.models import Ticket
from services.transit.rules.tickets import TicketState

PAGE: Final = 1_000


class TicketUnknown(NotFound):
    """There is no such ticket, or it is somebody else's."""

    code = "transit-ticket-unknown"
    zh = "没有这张车票"
    en = "There is no such ticket"


def ticket(session: Session, *, ticket_id: str, citizen_id: str) -> Ticket:
    """Return a citizen's ticket. Raises TicketUnknown, also for somebody else's."""
    found = session.scalar(
        select(Ticket).where(
            Ticket.book_id == book_of(ticket_id),
            Ticket.id == ticket_id,
            Ticket.citizen_id == citizen_id,
        )
    )
    if found is None:
        raise TicketUnknown
    return found


def tickets(
    session: Session, *, citizen_id: str, after: tuple[Any, ...] | None, limit: int
) -> Sequence[Ticket]:
    """Return a citizen's tickets, newest first, from beyond `after` (ordered_at, id)."""
    position = tuple_(Ticket.ordered_at, Ticket.id)
    query = select(Ticket).where(Ticket.citizen_id == citizen_id)
    if after is not None:
        query = query.where(position < after)
    newest_first = query.order_by(Ticket.ordered_at.desc(), Ticket.id.desc())
    return session.scalars(newest_first.limit(limit)).all()


def by_pick_up_code(session: Session, *, book_id: str, pick_up_code: str) -> Ticket | None:
    """Return the ticket with this pick-up code, whatever became of it."""
    return session.scalar(
        select(Ticket).where(Ticket.book_id == book_id, Ticket.pick_up_code == pick_up_code)
    )


def every_ticket(session: Session) -> Iterator[Ticket]:
    """Yield every ticket there is, a page at a time."""
    last = ("", "")
    while True:
        page = session.scalars(
            select(Ticket)
            .where(tuple_(Ticket.book_id, Ticket.id) > last)
            .order_by(Ticket.book_id, Ticket.id)
            .limit(PAGE)
        ).all()
        yield from page
        if len(page) < PAGE:
            return
        last = (page[-1].book_id, page[-1].id)


def uncollected(session: Session, *, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
    """Claim tickets whose time for collection is over: their books and ids, longest over first.

    They stay locked until the transaction ends; those another worker holds are left out, and so are
    those whose refund was refused, which wait for the citizen or a clerk.
    """
    rows = session.execute(
        select(Ticket.book_id, Ticket.id)
        .where(
            Ticket.state == TicketState.PAID,
            Ticket.collect_until <= now,
            Ticket.refused_refund_id.is_(None),
        )
        .order_by(Ticket.collect_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(book_id, ticket_id) for book_id, ticket_id in rows]
