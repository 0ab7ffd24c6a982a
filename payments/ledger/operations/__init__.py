"""What can be done to the books inside somebody's transaction."""

from payments.ledger.accounts import CurrencyDiffers
from payments.ledger.guards import BoundReached
from payments.ledger.operations.books import open_book
from payments.ledger.operations.bulk import (
    BooksContended,
    ChainBroken,
    TooManyEntries,
    post_linked,
    post_many,
)
from payments.ledger.operations.periods import DayNotOver, NotClosed, close_days, seal_day
from payments.ledger.operations.posting import post
from payments.ledger.operations.reservations import (
    ReservationExceeded,
    ReservationExpired,
    expire,
    post_reserved,
    reserve,
    void,
)
from payments.ledger.operations.reversals import AlreadyReversed, ReversalNotReversible, reverse
from payments.ledger.operations.roll_ups import roll_up
from payments.ledger.operations.transfers import (
    Side,
    TransferNotPaired,
    post_other_side,
    transfer_between_books,
)
from payments.ledger.writing import ReferenceTaken

__all__ = [
    "AlreadyReversed",
    "BooksContended",
    "BoundReached",
    "ChainBroken",
    "CurrencyDiffers",
    "DayNotOver",
    "NotClosed",
    "ReferenceTaken",
    "ReservationExceeded",
    "ReservationExpired",
    "ReversalNotReversible",
    "Side",
    "TooManyEntries",
    "TransferNotPaired",
    "close_days",
    "expire",
    "open_book",
    "post",
    "post_linked",
    "post_many",
    "post_other_side",
    "post_reserved",
    "reserve",
    "reverse",
    "roll_up",
    "seal_day",
    "transfer_between_books",
    "void",
]
