"""What stands in the books."""

from payments.ledger.queries.balances import balance, trial_balance
from payments.ledger.queries.books import BookNotFound, books, check_book
from payments.ledger.queries.journals import (
    JournalNotFound,
    journal,
    journal_of_reference,
    journals,
    reversal_of,
)
from payments.ledger.queries.reservations import (
    ReservationNotFound,
    overdue_reservations,
    reservation,
    reservation_of_reference,
)

__all__ = [
    "BookNotFound",
    "JournalNotFound",
    "ReservationNotFound",
    "balance",
    "books",
    "check_book",
    "journal",
    "journal_of_reference",
    "journals",
    "overdue_reservations",
    "reservation",
    "reservation_of_reference",
    "reversal_of",
    "trial_balance",
]
