"""Balances, trial balances and journals."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import RowMapping, Select, select, text
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId
from payments.kernel.money import CNY
from payments.ledger.balances import Balance, TrialBalance
from payments.ledger.journals import Journal, Posting
from payments.ledger.models import BookRow, JournalRow, PostingRow

JOURNAL_PAGE: Final = 100
END_OF_TIME: Final = date.max


class BookNotFound(NotFound):
    """No such book was opened."""

    code = "book-not-found"
    zh = "账本不存在"
    en = "There is no such book"


class JournalNotFound(NotFound):
    """The book has no such journal."""

    code = "journal-not-found"
    zh = "凭证不存在"
    en = "There is no such journal"


BALANCE: Final = text(
    """
SELECT COALESCE(sum(debit), 0) AS debits_minor, COALESCE(sum(credit), 0) AS credits_minor
FROM (
    SELECT amount_minor AS debit, 0 AS credit FROM ledger.postings
    WHERE book_id = :book_id AND destination = :account AND business_date <= :as_of
    UNION ALL
    SELECT 0, amount_minor FROM ledger.postings
    WHERE book_id = :book_id AND source = :account AND business_date <= :as_of
) AS sides
"""
)

TRIAL_BALANCE: Final = text(
    """
SELECT book_id, account, currency, sum(debit) AS debits_minor, sum(credit) AS credits_minor
FROM (
    SELECT book_id, destination AS account, currency, amount_minor AS debit, 0 AS credit
    FROM ledger.postings
    WHERE (CAST(:book_id AS text) IS NULL OR book_id = :book_id) AND business_date <= :as_of
    UNION ALL
    SELECT book_id, source, currency, 0, amount_minor
    FROM ledger.postings
    WHERE (CAST(:book_id AS text) IS NULL OR book_id = :book_id) AND business_date <= :as_of
) AS sides
GROUP BY book_id, account, currency ORDER BY book_id, account, currency
"""
)


def balance(
    session: Session,
    *,
    book_id: BookId,
    account: str,
    as_of: date | None = None,
    currency: str = CNY,
) -> Balance:
    """Return an account's balance, now or at the end of a business date; zero if never used."""
    row = session.execute(
        BALANCE, {"book_id": book_id, "account": account, "as_of": as_of or END_OF_TIME}
    ).one()
    return Balance(
        book_id=book_id,
        account=account,
        currency=currency,
        debits_minor=int(row.debits_minor),
        credits_minor=int(row.credits_minor),
    )


def trial_balance(
    session: Session, *, book_id: BookId | None = None, as_of: date | None = None
) -> TrialBalance:
    """Return every account's balance in a book, or in all books, now or at the end of a date."""
    rows = session.execute(TRIAL_BALANCE, {"book_id": book_id, "as_of": as_of or END_OF_TIME})
    return TrialBalance(
        book_id=book_id,
        as_of=as_of,
        rows=[
            Balance(
                book_id=BookId(row.book_id),
                account=row.account,
                currency=row.currency,
                debits_minor=int(row.debits_minor),
                credits_minor=int(row.credits_minor),
            )
            for row in rows
        ],
    )


def books(session: Session) -> list[BookId]:
    """Return every book's id, ascending."""
    return [BookId(name) for name in session.scalars(select(BookRow.book_id).order_by("book_id"))]


def check_book(session: Session, *, book_id: BookId) -> BookId:
    """Return the book's id when it was opened. Raises BookNotFound."""
    if session.scalar(select(BookRow.book_id).where(BookRow.book_id == book_id)) is None:
        raise BookNotFound(book_id)
    return book_id


def journal(session: Session, *, book_id: BookId, journal_id: str) -> Journal:
    """Return a journal with its postings. Raises JournalNotFound."""
    return _one(
        session,
        _SELECT.where(JournalRow.book_id == book_id, JournalRow.journal_id == journal_id),
        wanted=journal_id,
    )


def journal_of_reference(session: Session, *, book_id: BookId, reference: str) -> Journal:
    """Return the journal a reference names. Raises JournalNotFound."""
    return _one(
        session,
        _SELECT.where(JournalRow.book_id == book_id, JournalRow.reference == reference),
        wanted=reference,
    )


def journals(
    session: Session,
    *,
    book_id: BookId,
    business_date: date | None = None,
    after: str | None = None,
    limit: int = JOURNAL_PAGE,
) -> list[Journal]:
    """Return a page of a book's journals, of one business date or of all, ascending by id.

    `after` is the last journal id of the page before.
    """
    chosen = _SELECT.where(JournalRow.book_id == book_id)
    if business_date is not None:
        chosen = chosen.where(JournalRow.business_date == business_date)
    if after is not None:
        chosen = chosen.where(JournalRow.journal_id > after)
    return _with_postings(session, chosen.order_by(JournalRow.journal_id).limit(limit))


_SELECT: Final[Select[tuple[Any, ...]]] = select(*JournalRow.__table__.columns)


def _one(session: Session, chosen: Select[tuple[Any, ...]], *, wanted: str) -> Journal:
    found = _with_postings(session, chosen)
    if not found:
        raise JournalNotFound(wanted)
    return found[0]


def _with_postings(session: Session, chosen: Select[tuple[Any, ...]]) -> list[Journal]:
    rows = session.execute(chosen).mappings().all()
    lines = session.execute(
        select(*PostingRow.__table__.columns)
        .where(
            PostingRow.book_id.in_({row["book_id"] for row in rows}),
            PostingRow.journal_id.in_([row["journal_id"] for row in rows]),
        )
        .order_by(PostingRow.journal_id, PostingRow.line)
    )
    postings: dict[str, list[Posting]] = defaultdict(list)
    for line in lines:
        postings[line.journal_id].append(
            Posting(
                line=line.line,
                source=line.source,
                destination=line.destination,
                amount_minor=line.amount_minor,
                currency=line.currency,
            )
        )
    return [_journal(row, postings[row["journal_id"]]) for row in rows]


def _journal(row: RowMapping, postings: Sequence[Posting]) -> Journal:
    return Journal(
        book_id=BookId(row["book_id"]),
        journal_id=row["journal_id"],
        reference=row["reference"],
        template=row["template"],
        template_version=row["template_version"],
        effective_at=row["effective_at"],
        posted_at=row["posted_at"],
        business_date=row["business_date"],
        late_for=row["late_for"],
        reverses_journal_id=row["reverses_journal_id"],
        metadata=row["metadata"],
        content_hash=row["content_hash"],
        postings=tuple(postings),
    )
