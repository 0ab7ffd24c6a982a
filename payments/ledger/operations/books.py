"""Open books."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId

FIRST_DAY: Final = date(2000, 1, 1)  # A new book takes journals for any later date.


def open_book(session: Session, *, book_id: BookId, name: str, now: datetime) -> None:
    """Open a book; opening it again changes nothing."""
    session.execute(
        text(
            "INSERT INTO ledger.books (book_id, name, opened_at) VALUES (:book_id, :name, :now)"
            " ON CONFLICT DO NOTHING"
        ),
        {"book_id": book_id, "name": name, "now": now},
    )
    session.execute(
        text(
            "INSERT INTO ledger.calendars (book_id, open_from) VALUES (:book_id, :open_from)"
            " ON CONFLICT DO NOTHING"
        ),
        {"book_id": book_id, "open_from": FIRST_DAY},
    )
