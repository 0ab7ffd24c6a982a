"""Write one journal: a single statement, and a second one only where an account has a bound."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Row, Text, bindparam, text
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.errors import Conflict
from payments.kernel.ids import new_book_id
from payments.ledger import accounts, guards, queries
from payments.ledger.guards import Change
from payments.ledger.journals import Draft, Journal, changes_of


class ReferenceTaken(Conflict):
    """The reference names another journal of the book, one that moves something else."""

    code = "reference-taken"
    zh = "业务参考号已被使用"
    en = "The reference is used by a different journal"


# No account is locked here. The empty table `gate` is locked ROW SHARE before the statement takes
# its snapshot, and until the transaction ends. Whoever closes a day locks it EXCLUSIVE: every
# poster has then either ended, or begins after the closing and sees the day as closed. No row is
# touched for it, and READ COMMITTED is required.
INSERT: Final = text(
    """
WITH calendar AS (
    SELECT GREATEST(open_from, CAST(:business_date AS date)) AS business_date,
           CASE WHEN open_from > :business_date
                THEN CAST(:business_date AS date) END AS late_for
    FROM ledger.calendars
    WHERE book_id = :book_id AND NOT EXISTS (SELECT FROM ledger.gate FOR KEY SHARE)
), known AS (
    SELECT account, bounded FROM ledger.accounts
    WHERE book_id = :book_id AND account = ANY (:accounts) AND currency = :currency
), journal AS (
    INSERT INTO ledger.journals (
        book_id, journal_id, reference, content_hash, template, template_version, effective_at,
        posted_at, business_date, late_for, reverses_journal_id, metadata)
    SELECT :book_id, :journal_id, :reference, :content_hash, :template, :template_version,
           :effective_at, :posted_at, business_date, late_for, :reverses_journal_id,
           CAST(:metadata AS jsonb)
    FROM calendar WHERE (SELECT count(*) FROM known) = cardinality(:accounts)
    ON CONFLICT (book_id, reference) DO NOTHING
    RETURNING business_date, late_for
), lines AS (
    INSERT INTO ledger.postings (
        book_id, journal_id, line, source, destination, amount_minor, currency, business_date)
    SELECT :book_id, :journal_id, line, source, destination, amount_minor, :currency, business_date
    FROM journal CROSS JOIN unnest(:sources, :destinations, :amounts)
        WITH ORDINALITY AS lines (source, destination, amount_minor, line)
)
SELECT journal.business_date, journal.late_for,
       (SELECT count(*) FROM calendar) AS books,
       (SELECT count(*) FROM known) AS known,
       (SELECT array_agg(account ORDER BY account) FROM known WHERE bounded) AS bounded
FROM (VALUES (1)) AS always LEFT JOIN journal ON true
"""
).bindparams(
    bindparam("accounts", type_=ARRAY(Text)),
    bindparam("sources", type_=ARRAY(Text)),
    bindparam("destinations", type_=ARRAY(Text)),
    bindparam("amounts", type_=ARRAY(BigInteger)),
)


def write(session: Session, draft: Draft, *, now: datetime) -> Journal:
    """Write a journal, or return the one that already has its reference and moves the same.

    Accounts not seen before are opened. Raises BookNotFound, ReferenceTaken, CurrencyDiffers, and
    BoundReached, after which PostgreSQL refuses everything but a rollback (to a savepoint).
    """
    journal_id = new_book_id("jnl", draft.book_id)
    row = _insert(session, draft, journal_id=journal_id, now=now)
    if row.books and row.known < len(draft.accounts):
        accounts.open_accounts(
            session,
            book_id=draft.book_id,
            wanted=dict.fromkeys(draft.accounts, draft.currency),
            now=now,
        )
        row = _insert(session, draft, journal_id=journal_id, now=now)
    if not row.books:
        raise queries.BookNotFound(draft.book_id)
    if row.known < len(draft.accounts):
        raise accounts.CurrencyDiffers(f"{draft.reference} in {draft.currency}")
    if row.business_date is None:
        return _already_there(session, draft)
    if row.bounded:
        changes = changes_of(draft.lines)
        guards.move(
            session,
            book_id=draft.book_id,
            changes={name: Change(balance=changes[name]) for name in row.bounded},
        )
    return Journal.of(
        draft,
        journal_id=journal_id,
        posted_at=now,
        business_date=row.business_date,
        late_for=row.late_for,
    )


def _insert(session: Session, draft: Draft, *, journal_id: str, now: datetime) -> Row[Any]:
    return session.execute(
        INSERT,
        {
            "book_id": draft.book_id,
            "business_date": business_date(now),
            "accounts": draft.accounts,
            "currency": draft.currency,
            "journal_id": journal_id,
            "reference": draft.reference,
            "content_hash": draft.content_hash,
            "template": draft.template,
            "template_version": draft.template_version,
            "effective_at": draft.effective_at,
            "posted_at": now,
            "reverses_journal_id": draft.reverses_journal_id,
            "metadata": draft.metadata_json,
            "sources": [line.source for line in draft.lines],
            "destinations": [line.destination for line in draft.lines],
            "amounts": [line.amount_minor for line in draft.lines],
        },
    ).one()


def _already_there(session: Session, draft: Draft) -> Journal:
    journal = queries.journal_of_reference(
        session, book_id=draft.book_id, reference=draft.reference
    )
    if journal.content_hash != draft.content_hash:
        raise ReferenceTaken(draft.reference)
    return journal
