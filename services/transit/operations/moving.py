"""The one statement that moves a ticket."""

from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from services.transit.models import Ticket
from services.transit.rules.tickets import TicketEvent, sources, target


def move(
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
