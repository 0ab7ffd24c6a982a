"""Close business dates and seal them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date as business_date_of
from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId
from payments.kernel.signing_keys import SigningKeys
from payments.ledger import merkle, queries
from payments.ledger.canonical import journal_line
from payments.ledger.journals import Journal
from payments.ledger.models import SealChunkRow, SealRow
from payments.ledger.seals import CHUNK_SIZE, FIRST, Seal, document_of

GATE_WAIT_MS: Final = 1_000  # Posters queue behind the closing for no longer than this.
DAY: Final = timedelta(days=1)


class DayNotOver(Conflict):
    """A business date is closed after it has ended."""

    code = "day-not-over"
    zh = "营业日尚未结束"
    en = "The business date is not over yet"


class NotClosed(Conflict):
    """Only a closed day, after all days before it, is sealed."""

    code = "day-not-closed"
    zh = "该日尚不可封账"
    en = "The day cannot be sealed yet"


@dataclass
class Tally:
    """What a day adds up to, journal by journal; the chunks' roots are kept for proofs."""

    leaves: list[bytes] = field(default_factory=list)
    first_ids: list[str] = field(default_factory=list)
    postings: int = 0
    moved_minor: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, journals: Iterator[Journal]) -> "Tally":
        """Add up journals given in the order of their ids."""
        tally = cls()
        for journal in journals:
            if len(tally.leaves) % CHUNK_SIZE == 0:
                tally.first_ids.append(journal.journal_id)
            tally.leaves.append(merkle.leaf_hash(journal_line(journal).encode()))
            tally.postings += len(journal.postings)
            for posting in journal.postings:
                tally.moved_minor[posting.currency] += posting.amount_minor
        return tally

    @property
    def chunk_roots(self) -> list[bytes]:
        """The roots over each full chunk of leaves, and over what remains."""
        return [
            merkle.root(self.leaves[start : start + CHUNK_SIZE])
            for start in range(0, len(self.leaves), CHUNK_SIZE)
        ]


def close_days(session: Session, *, until: date, now: datetime) -> None:
    """Close every business date up to `until` in every book; what comes later goes to the next.

    Waits until every transaction that has posted has ended, for up to GATE_WAIT_MS; those that
    begin meanwhile wait behind it, and then see the day closed. Raises DayNotOver.
    """
    if business_date_of(now) <= until:
        raise DayNotOver(until.isoformat())
    session.execute(text(f"SET LOCAL lock_timeout = {GATE_WAIT_MS}"))
    session.execute(text("LOCK TABLE ledger.gate IN EXCLUSIVE MODE"))
    session.execute(
        text("UPDATE ledger.calendars SET open_from = :next WHERE open_from < :next"),
        {"next": until + DAY},
    )


def seal_day(
    session: Session,
    *,
    book_id: BookId,
    business_date: date,
    keys: SigningKeys,
    now: datetime,
) -> Seal:
    """Seal the earliest closed day that has no seal yet. Raises NotClosed for any other."""
    if queries.unsealed_days(session, book_id=book_id)[:1] != [business_date]:
        raise NotClosed(business_date.isoformat())
    before = queries.seal(session, book_id=book_id, business_date=business_date - DAY)
    previous = before.digest if before else FIRST
    tally = Tally.of(queries.journals_of_day(session, book_id=book_id, business_date=business_date))
    root = merkle.root(tally.chunk_roots)
    document = document_of(
        book_id=book_id,
        business_date=business_date,
        journals=len(tally.leaves),
        postings=tally.postings,
        moved_minor=tally.moved_minor,
        root=root,
        previous=previous,
        key_id=keys.current,
        sealed_at=now,
    )
    sealed = Seal(
        book_id=book_id,
        business_date=business_date,
        document=document,
        key_id=keys.current,
        signature=keys.sign(document.encode()),
        root=root,
        previous=previous,
        journals=len(tally.leaves),
        postings=tally.postings,
    )
    _write(session, sealed, tally)
    return sealed


def _write(session: Session, sealed: Seal, tally: Tally) -> None:
    session.execute(insert(SealRow).values(**vars(sealed)))
    chunks = [
        {
            "book_id": sealed.book_id,
            "business_date": sealed.business_date,
            "chunk": chunk,
            "first_journal_id": first_id,
            "root": root,
        }
        for chunk, (first_id, root) in enumerate(
            zip(tally.first_ids, tally.chunk_roots, strict=True)
        )
    ]
    if chunks:
        session.execute(insert(SealChunkRow), chunks)
