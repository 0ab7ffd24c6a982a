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
from payments.ledger.queries.seals import (
    NotSealedYet,
    days_to_close,
    inclusion_proof,
    journals_of_day,
    period_state,
    seal,
    seals,
    unsealed_days,
)
from payments.ledger.queries.statements import statement

__all__ = [
    "BookNotFound",
    "BooksMoving",
    "GuardedBalance",
    "JournalNotFound",
    "NotSealedYet",
    "ReservationNotFound",
    "balance",
    "books",
    "check_book",
    "days_to_close",
    "guarded_balance",
    "inclusion_proof",
    "journal",
    "journal_of_reference",
    "journals",
    "journals_of_day",
    "overdue_reservations",
    "period_state",
    "reservation",
    "reservation_of_reference",
    "reversal_of",
    "seal",
    "seals",
    "statement",
    "trial_balance",
    "unsealed_days",
]
