"""Periods, seals, and proofs that a journal is in a sealed day."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId
from payments.ledger import merkle
from payments.ledger.canonical import journal_line
from payments.ledger.journals import Journal
from payments.ledger.models import CalendarRow, SealChunkRow, SealRow
from payments.ledger.queries.books import BookNotFound
from payments.ledger.queries.journals import journal, journals
from payments.ledger.seals import CHUNK_SIZE, InclusionProof, PeriodState, Seal

JOURNAL_PAGE: Final = 1_000


class NotSealedYet(Conflict):
    """The day has no seal yet; proofs exist from the night after it."""

    code = "not-sealed-yet"
    zh = "该日尚未封账"
    en = "The day is not sealed yet"


def period_state(session: Session, *, book_id: BookId, business_date: date) -> PeriodState:
    """Return where a business date stands. Raises BookNotFound."""
    open_from = session.scalar(select(CalendarRow.open_from).where(CalendarRow.book_id == book_id))
    if open_from is None:
        raise BookNotFound(book_id)
    if business_date >= open_from:
        return PeriodState.OPEN
    if seal(session, book_id=book_id, business_date=business_date) is None:
        return PeriodState.CLOSING
    return PeriodState.SEALED


def seal(session: Session, *, book_id: BookId, business_date: date) -> Seal | None:
    """Return the seal of a day, if it is sealed."""
    row = session.execute(
        _SEALS.where(SealRow.book_id == book_id, SealRow.business_date == business_date)
    ).one_or_none()
    return None if row is None else _seal(row)


def seals(session: Session, *, book_id: BookId) -> list[Seal]:
    """Return every seal of a book, the earliest first."""
    rows = session.execute(_SEALS.where(SealRow.book_id == book_id).order_by(SealRow.business_date))
    return [_seal(row) for row in rows]


def unsealed_days(session: Session, *, book_id: BookId) -> list[date]:
    """Return the closed days that have no seal yet, the earliest first."""
    opened, open_from = session.execute(
        select(CalendarRow.opened_on, CalendarRow.open_from).where(CalendarRow.book_id == book_id)
    ).one()
    last = session.scalar(select(func.max(SealRow.business_date)).where(SealRow.book_id == book_id))
    first = opened if last is None else last + timedelta(days=1)
    return [first + timedelta(days=number) for number in range((open_from - first).days)]


def days_to_close(session: Session, *, until: date) -> bool:
    """Say whether a book is open for, or has not sealed, a day up to `until`."""
    sealed = (
        select(SealRow.book_id)
        .where(SealRow.book_id == CalendarRow.book_id, SealRow.business_date == until)
        .exists()
    )
    found = session.scalar(
        select(CalendarRow.book_id).where(CalendarRow.opened_on <= until, ~sealed).limit(1)
    )
    return found is not None


def journals_of_day(session: Session, *, book_id: BookId, business_date: date) -> Iterator[Journal]:
    """Yield every journal of a day in the order of its seal, reading page by page."""
    after: str | None = None
    while page := journals(
        session, book_id=book_id, business_date=business_date, after=after, limit=JOURNAL_PAGE
    ):
        yield from page
        after = page[-1].journal_id


def inclusion_proof(session: Session, *, book_id: BookId, journal_id: str) -> InclusionProof:
    """Prove that a journal is in its day's seal; reads one chunk of the day.

    Raises JournalNotFound and NotSealedYet.
    """
    wanted = journal(session, book_id=book_id, journal_id=journal_id)
    day = wanted.business_date
    found = seal(session, book_id=book_id, business_date=day)
    if found is None:
        raise NotSealedYet(day.isoformat())
    chunks = session.execute(
        select(SealChunkRow.first_journal_id, SealChunkRow.root)
        .where(SealChunkRow.book_id == book_id, SealChunkRow.business_date == day)
        .order_by(SealChunkRow.chunk)
    ).all()
    chunk = sum(1 for row in chunks if row.first_journal_id <= journal_id) - 1
    page = journals(
        session,
        book_id=book_id,
        business_date=day,
        from_id=chunks[chunk].first_journal_id,
        limit=CHUNK_SIZE,
    )
    leaves = [merkle.leaf_hash(journal_line(one).encode()) for one in page]
    index = [one.journal_id for one in page].index(journal_id)
    return InclusionProof(
        journal=journal_line(wanted),
        index=chunk * CHUNK_SIZE + index,
        count=found.journals,
        hashes=[
            *merkle.path(leaves, index),
            *merkle.path([row.root for row in chunks], chunk),
        ],
        seal=found,
    )


_SEALS: Final = select(*SealRow.__table__.columns)


def _seal(row: Row[Any]) -> Seal:
    return Seal(
        book_id=BookId(row.book_id),
        business_date=row.business_date,
        document=row.document,
        key_id=row.key_id,
        signature=row.signature,
        root=row.root,
        previous=row.previous,
        journals=row.journals,
        postings=row.postings,
    )
