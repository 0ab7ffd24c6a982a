"""Correct a journal by its opposite, which names it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId
from payments.ledger import queries
from payments.ledger.journals import Draft, Journal
from payments.ledger.templates import Line
from payments.ledger.writing import write

TEMPLATE: Final = "ledger.reversal"
TEMPLATE_VERSION: Final = 1


class AlreadyReversed(Conflict):
    """Another journal reverses it; a journal is reversed once."""

    code = "already-reversed"
    zh = "凭证已冲销"
    en = "The journal was reversed already"


class ReversalNotReversible(Conflict):
    """A reversal is final: what it undid is posted anew."""

    code = "reversal-not-reversible"
    zh = "冲销凭证不可再冲销"
    en = "A reversal cannot be reversed"


def reverse(
    session: Session,
    *,
    book_id: BookId,
    journal_id: str,
    reference: str,
    effective_at: datetime,
    now: datetime,
    metadata: Mapping[str, str] | None = None,
) -> Journal:
    """Post the opposite of a journal, all of it; the same reference again returns what is there.

    Raises JournalNotFound, AlreadyReversed, ReversalNotReversible, ReferenceTaken, BoundReached.
    """
    original = queries.journal(session, book_id=book_id, journal_id=journal_id)
    if original.reverses_journal_id is not None:
        raise ReversalNotReversible(journal_id)
    found = queries.reversal_of(session, book_id=book_id, journal_id=journal_id)
    if found is not None and found.reference != reference:
        raise AlreadyReversed(journal_id)
    draft = Draft(
        book_id=book_id,
        reference=reference,
        template=TEMPLATE,
        template_version=TEMPLATE_VERSION,
        lines=tuple(
            Line(
                source=posting.destination,
                destination=posting.source,
                amount_minor=posting.amount_minor,
            )
            for posting in original.postings
        ),
        effective_at=effective_at,
        metadata=metadata or {},
        currency=original.postings[0].currency,
        reverses_journal_id=journal_id,
    )
    return write(session, draft, now=now)
