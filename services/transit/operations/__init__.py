"""Buying, issuing, collecting and returning tickets, each in the caller's transaction.

Every change of state is one guarded UPDATE: whoever comes second, however close, finds no row. So
of a collection and a refund at the same moment exactly one happens.
"""

from services.transit.operations.buying import TooManyTickets, buy, issue, lapse
from services.transit.operations.collecting import PickUpCodeUnknown, TicketNotCollectable, collect
from services.transit.operations.returning import (
    TicketNotRefundable,
    give_back,
    refused,
    return_uncollected,
    returned,
)

__all__ = [
    "PickUpCodeUnknown",
    "TicketNotCollectable",
    "TicketNotRefundable",
    "TooManyTickets",
    "buy",
    "collect",
    "give_back",
    "issue",
    "lapse",
    "refused",
    "return_uncollected",
    "returned",
]
