"""What transit says to the rest of the platform, and through callbacks to the operator."""

from dataclasses import dataclass
from datetime import datetime

from payments.events.facts import Fact


@dataclass(frozen=True, kw_only=True)
class TicketCollected(Fact):
    """A kiosk handed out a ticket's journeys: the fare is earned, and no refund is due any more."""

    name = "transit.ticket-collected"
    published = (
        "ticket_id",
        "order_id",
        "from_station",
        "to_station",
        "count",
        "amount_minor",
        "currency",
        "device_id",
        "collected_at",
    )

    ticket_id: str
    order_id: str
    from_station: str
    to_station: str
    count: int
    amount_minor: int
    currency: str
    device_id: str
    collected_at: datetime

    @property
    def subject(self) -> str:
        return self.ticket_id

    @property
    def occurred_at(self) -> datetime:
        return self.collected_at
