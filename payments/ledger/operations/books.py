"""Open books."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.ids import BookId


def open_book(session: Session, *, book_id: BookId, name: str, now: datetime) -> None:
    """Open a book from today's business date on; opening it again changes nothing."""
    session.execute(
        text(
            "INSERT INTO ledger.books (book_id, name, opened_at) VALUES (:book_id, :name, :now)"
            " ON CONFLICT DO NOTHING"
        ),
        {"book_id": book_id, "name": name, "now": now},
    )
    session.execute(
        text(
            "INSERT INTO ledger.calendars (book_id, open_from, opened_on)"
            " VALUES (:book_id, :today, :today) ON CONFLICT DO NOTHING"
        ),
        {"book_id": book_id, "today": business_date(now)},
    )
