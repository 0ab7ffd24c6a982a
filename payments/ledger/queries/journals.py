"""Journals with their postings."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId
from payments.ledger.journals import Journal, Posting
from payments.ledger.models import JournalRow, PostingRow

JOURNAL_PAGE: Final = 100

_SELECT: Final[Select[tuple[Any, ...]]] = select(*JournalRow.__table__.columns)


class JournalNotFound(NotFound):
    """The book has no such journal."""

    code = "journal-not-found"
    zh = "凭证不存在"
    en = "There is no such journal"


def journal(session: Session, *, book_id: BookId, journal_id: str) -> Journal:
    """Return a journal with its postings. Raises JournalNotFound."""
    return _one(
        session,
        _SELECT.where(JournalRow.book_id == book_id, JournalRow.journal_id == journal_id),
        wanted=journal_id,
    )


def reversal_of(session: Session, *, book_id: BookId, journal_id: str) -> Journal | None:
    """Return the journal that reverses another one, if any does."""
    found = _with_postings(
        session,
        _SELECT.where(JournalRow.book_id == book_id, JournalRow.reverses_journal_id == journal_id),
    )
    return found[0] if found else None


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
    from_id: str | None = None,
    limit: int = JOURNAL_PAGE,
) -> list[Journal]:
    """Return a page of a book's journals, of one business date or of all, ascending by id.

    `after` is the last journal id of the page before; `from_id` is the first one wanted.
    """
    chosen = _SELECT.where(JournalRow.book_id == book_id)
    if business_date is not None:
        chosen = chosen.where(JournalRow.business_date == business_date)
    if after is not None:
        chosen = chosen.where(JournalRow.journal_id > after)
    if from_id is not None:
        chosen = chosen.where(JournalRow.journal_id >= from_id)
    return _with_postings(session, chosen.order_by(JournalRow.journal_id).limit(limit))


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
