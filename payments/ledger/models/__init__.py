"""The books' tables."""

from payments.ledger.models.books import AccountRow, BookRow, BoundedBalanceRow, CalendarRow
from payments.ledger.models.journals import JournalRow, PostingRow
from payments.ledger.models.reservations import ReservationLineRow, ReservationRow
from payments.ledger.models.roll_ups import DailyTotalRow, TotalRow, WatermarkRow
from payments.ledger.models.seals import GateRow, SealChunkRow, SealRow

__all__ = [
    "AccountRow",
    "BookRow",
    "BoundedBalanceRow",
    "CalendarRow",
    "DailyTotalRow",
    "GateRow",
    "JournalRow",
    "PostingRow",
    "ReservationLineRow",
    "ReservationRow",
    "SealChunkRow",
    "SealRow",
    "TotalRow",
    "WatermarkRow",
]
