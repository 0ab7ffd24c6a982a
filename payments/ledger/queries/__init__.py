"""What stands in the books."""

from payments.ledger.queries.balances import (
    BooksMoving,
    GuardedBalance,
    balance,
    guarded_balance,
    trial_balance,
)
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
from payments.ledger.queries.statements import statement

__all__ = [
    "BookNotFound",
    "BooksMoving",
    "GuardedBalance",
    "JournalNotFound",
    "ReservationNotFound",
    "balance",
    "books",
    "check_book",
    "guarded_balance",
    "journal",
    "journal_of_reference",
    "journals",
    "overdue_reservations",
    "reservation",
    "reservation_of_reference",
    "reversal_of",
    "statement",
    "trial_balance",
]
