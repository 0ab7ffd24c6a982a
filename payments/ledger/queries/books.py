"""Which books there are."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId
from payments.ledger.models import BookRow


class BookNotFound(NotFound):
    """No such book was opened."""

    code = "book-not-found"
    zh = "账本不存在"
    en = "There is no such book"


def books(session: Session) -> list[BookId]:
    """Return every book's id, ascending."""
    return [BookId(name) for name in session.scalars(select(BookRow.book_id).order_by("book_id"))]


def check_book(session: Session, *, book_id: BookId) -> BookId:
    """Return the book's id when it was opened. Raises BookNotFound."""
    if session.scalar(select(BookRow.book_id).where(BookRow.book_id == book_id)) is None:
        raise BookNotFound(book_id)
    return book_id
