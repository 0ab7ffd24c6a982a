"""Balances of accounts, and of all accounts together."""

from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId
from payments.kernel.money import CNY
from payments.ledger.balances import Balance, TrialBalance

END_OF_TIME: Final = date.max

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
