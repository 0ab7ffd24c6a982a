"""What citizens do: buy tickets, look at them, give them back."""

from typing import Any

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.host.access import current_principal, requires
from services.host.idempotency import idempotent
from services.host.pagination import Page, PageQuerySchema, page_schema, paginate
from services.host.platform import current_platform
from services.transit import operations, queries
from services.transit.models import Ticket
from services.transit.reference.versions import reference
from services.transit.schemas import OneTicketSchema, OrderTicketSchema, TicketSchema

blueprint = Blueprint(
    "transit_tickets", __name__, url_prefix="/v1/transit/tickets", description="Tickets"
)


@blueprint.route("", methods=["POST"])
@requires("citizen")
@blueprint.arguments(OrderTicketSchema)
@idempotent.transaction
@blueprint.response(201, OneTicketSchema)
def buy(journey: dict[str, Any], *, session: Session) -> Ticket:
    """Buy single journeys.

    Answers the ticket and the order to pay before `pay_until`. Once paid, it has a pick-up code.
    """
    return operations.buy(
        session,
        reference=reference(),
        citizen_id=current_principal().id,
        from_station=journey["from_station"],
        to_station=journey["to_station"],
        count=journey["count"],
        now=current_platform().clock.now(),
    )


@blueprint.route("", methods=["GET"])
@requires("citizen")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, page_schema(TicketSchema))
def mine(page: dict[str, Any]) -> Page[Ticket]:
    """List my tickets.

    Newest first.
    """
    citizen_id = current_principal().id
    with current_platform().database.read() as session:
        return paginate(
            **page,
            fetch=lambda after, limit: queries.tickets(
                session, citizen_id=citizen_id, after=after, limit=limit
            ),
            position=lambda ticket: (ticket.ordered_at, ticket.id),
        )


@blueprint.route("/<string:ticket_id>", methods=["GET"])
@requires("citizen")
@blueprint.response(200, OneTicketSchema)
def show(ticket_id: str) -> Ticket:
    """Show one ticket.

    With its pick-up code as text and as a picture, once it is paid.
    """
    with current_platform().database.read() as session:
        return queries.ticket(session, ticket_id=ticket_id, citizen_id=current_principal().id)


@blueprint.route("/<string:ticket_id>/refund", methods=["POST"])
@requires("citizen")
@idempotent.transaction
@blueprint.response(200, OneTicketSchema)
def give_back(ticket_id: str, *, session: Session) -> Ticket:
    """Give a ticket back.

    Only while it is paid and not collected; of a collection at the same moment exactly one counts.
    The money goes back the way it came.
    """
    return operations.give_back(
        session,
        ticket_id=ticket_id,
        citizen_id=current_principal().id,
        now=current_platform().clock.now(),
    )
