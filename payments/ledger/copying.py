"""Write many journals at once with COPY, the fastest way into PostgreSQL."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from payments.kernel.database import driver_connection
from payments.ledger.journals import Draft

JOURNALS: Final = """
COPY ledger.journals (
    book_id, journal_id, reference, content_hash, template, template_version, effective_at,
    posted_at, business_date, late_for, metadata)
FROM STDIN (FORMAT BINARY)
"""
JOURNAL_TYPES: Final = (
    *("text", "text", "text", "bytea", "text", "int2", "timestamptz"),
    *("timestamptz", "date", "date", "jsonb"),
)

POSTINGS: Final = """
COPY ledger.postings (
    book_id, journal_id, line, source, destination, amount_minor, currency, business_date)
FROM STDIN (FORMAT BINARY)
"""
POSTING_TYPES: Final = ("text", "text", "int2", "text", "text", "int8", "text", "date")


def copy_journals(
    session: Session,
    drafts: Sequence[tuple[Draft, str]],
    *,
    open_from: date,
    today: date,
    now: datetime,
) -> None:
    """Write drafts under the journal ids given with them, in the session's transaction.

    What comes for a closed day goes to `open_from`, as in a single posting. Raises psycopg's
    UniqueViolation when a reference is there already.
    """
    if not drafts:
        return
    day = max(open_from, today)
    late_for = today if open_from > today else None
    cursor = driver_connection(session).cursor()
    with cursor.copy(JOURNALS) as copy:
        copy.set_types(JOURNAL_TYPES)
        for row in _journal_rows(drafts, now=now, day=day, late_for=late_for):
            copy.write_row(row)
    with cursor.copy(POSTINGS) as copy:
        copy.set_types(POSTING_TYPES)
        for row in _posting_rows(drafts, day=day):
            copy.write_row(row)


def _journal_rows(
    drafts: Sequence[tuple[Draft, str]], *, now: datetime, day: date, late_for: date | None
) -> Iterator[Sequence[object]]:
    for draft, journal_id in drafts:
        yield (
            draft.book_id,
            journal_id,
            draft.reference,
            draft.content_hash,
            draft.template,
            draft.template_version,
            draft.effective_at,
            now,
            day,
            late_for,
            dict(draft.metadata),
        )


def _posting_rows(drafts: Sequence[tuple[Draft, str]], *, day: date) -> Iterator[Sequence[object]]:
    for draft, journal_id in drafts:
        for number, line in enumerate(draft.lines, start=1):
            yield (
                draft.book_id,
                journal_id,
                number,
                line.source,
                line.destination,
                line.amount_minor,
                draft.currency,
                day,
            )
