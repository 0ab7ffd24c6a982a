"""The journals that transit writes into the operator's book."""

from typing import Final

from payments.ledger.templates import Leg, PostingTemplate

SERVICE: Final = "transit"

TICKET_COLLECTED: Final = PostingTemplate(
    name="transit.ticket-collected",
    version=1,
    legs=(Leg(source="income:fares", destination=f"liabilities:customer-advances:{SERVICE}"),),
)
