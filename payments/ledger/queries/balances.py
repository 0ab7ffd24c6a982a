"""Balances of accounts, and of all accounts together: totals plus the tail above the watermark."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.kernel.errors import Unavailable
from payments.kernel.ids import BookId
from payments.kernel.money import CNY
from payments.ledger.balances import Balance, TrialBalance
from payments.ledger.models import BoundedBalanceRow

END_OF_TIME: Final = date.max
SNAPSHOT_TRIES: Final = 10


class BooksMoving(Unavailable):
    """The roll-up overtook the report every time it was tried."""

    code = "books-moving"
    zh = "账务汇总繁忙，请稍后再试"
    en = "The books are being rolled up; try again"


# One statement each, so that totals, watermark and tail are of one moment.
BALANCE: Final = text(
    """
WITH mark AS (SELECT xid FROM ledger.watermarks WHERE name = 'roll-up')
SELECT (SELECT currency FROM ledger.accounts WHERE book_id = :book_id AND account = :account),
       COALESCE(total.debits_minor, 0) + COALESCE((
           SELECT sum(amount_minor) FROM ledger.postings
           WHERE book_id = :book_id AND destination = :account AND xid >= (SELECT xid FROM mark)
       ), 0) AS debits_minor,
       COALESCE(total.credits_minor, 0) + COALESCE((
           SELECT sum(amount_minor) FROM ledger.postings
           WHERE book_id = :book_id AND source = :account AND xid >= (SELECT xid FROM mark)
       ), 0) AS credits_minor
FROM mark LEFT JOIN ledger.totals AS total
    ON total.book_id = :book_id AND total.account = :account
"""
)

BALANCE_AS_OF: Final = text(
    """
WITH mark AS (SELECT xid FROM ledger.watermarks WHERE name = 'roll-up'), total AS (
    SELECT sum(debits_minor) AS debits_minor, sum(credits_minor) AS credits_minor
    FROM ledger.daily_totals
    WHERE book_id = :book_id AND account = :account AND business_date <= :as_of
)
SELECT (SELECT currency FROM ledger.accounts WHERE book_id = :book_id AND account = :account),
       COALESCE(total.debits_minor, 0) + COALESCE((
           SELECT sum(amount_minor) FROM ledger.postings
           WHERE book_id = :book_id AND destination = :account AND xid >= (SELECT xid FROM mark)
             AND business_date <= :as_of
       ), 0) AS debits_minor,
       COALESCE(total.credits_minor, 0) + COALESCE((
           SELECT sum(amount_minor) FROM ledger.postings
           WHERE book_id = :book_id AND source = :account AND xid >= (SELECT xid FROM mark)
             AND business_date <= :as_of
       ), 0) AS credits_minor
FROM total
"""
)

MARK: Final = text("SELECT xid FROM ledger.watermarks WHERE name = 'roll-up'")

# The watermark is given as a value, so that the planner sees how short the tail is; the statement
# says whether it still was the watermark.
TRIAL_BALANCE: Final = text(
    """
SELECT (SELECT xid FROM ledger.watermarks WHERE name = 'roll-up') = CAST(:mark AS xid8) AS current,
       book_id, account, currency, sum(debit) AS debits_minor, sum(credit) AS credits_minor
FROM (
    SELECT book_id, account, currency, debits_minor AS debit, credits_minor AS credit
    FROM ledger.totals
    WHERE CAST(:as_of AS date) IS NULL AND (CAST(:book_id AS text) IS NULL OR book_id = :book_id)
    UNION ALL
    SELECT book_id, account, currency, debits_minor, credits_minor
    FROM ledger.daily_totals
    WHERE business_date <= :as_of AND (CAST(:book_id AS text) IS NULL OR book_id = :book_id)
    UNION ALL
    SELECT book_id, destination, currency, amount_minor, 0
    FROM ledger.postings
    WHERE xid >= CAST(:mark AS xid8) AND business_date <= COALESCE(:as_of, 'infinity')
      AND (CAST(:book_id AS text) IS NULL OR book_id = :book_id)
    UNION ALL
    SELECT book_id, source, currency, 0, amount_minor
    FROM ledger.postings
    WHERE xid >= CAST(:mark AS xid8) AND business_date <= COALESCE(:as_of, 'infinity')
      AND (CAST(:book_id AS text) IS NULL OR book_id = :book_id)
) AS sides
GROUP BY book_id, account, currency ORDER BY book_id, account, currency
"""
)


@dataclass(frozen=True, kw_only=True)
class GuardedBalance:
    """The balance of an account with a bound, in its normal direction."""

    balance_minor: int
    leaving_minor: int
    arriving_minor: int
    minimum_minor: int | None
    maximum_minor: int | None

    @property
    def available_minor(self) -> int | None:
        """What may still leave; None when nothing limits it."""
        if self.minimum_minor is None:
            return None
        return self.balance_minor - self.leaving_minor - self.minimum_minor


def balance(
    session: Session, *, book_id: BookId, account: str, as_of: date | None = None
) -> Balance:
    """Return an account's balance, now or at the end of a business date; zero if never used."""
    statement = BALANCE if as_of is None else BALANCE_AS_OF
    row = session.execute(statement, {"book_id": book_id, "account": account, "as_of": as_of}).one()
    return Balance(
        book_id=book_id,
        account=account,
        currency=row.currency or CNY,
        debits_minor=int(row.debits_minor),
        credits_minor=int(row.credits_minor),
    )


def guarded_balance(session: Session, *, book_id: BookId, account: str) -> GuardedBalance | None:
    """Return the balance and reservations of an account with a bound; None if it has none."""
    row = session.get(
        BoundedBalanceRow, {"book_id": book_id, "account": account}, populate_existing=True
    )
    return (
        None
        if row is None
        else GuardedBalance(
            balance_minor=row.balance_minor,
            leaving_minor=row.leaving_minor,
            arriving_minor=row.arriving_minor,
            minimum_minor=row.minimum_minor,
            maximum_minor=row.maximum_minor,
        )
    )


def trial_balance(
    session: Session, *, book_id: BookId | None = None, as_of: date | None = None
) -> TrialBalance:
    """Return every account's balance in a book, or in all books, now or at the end of a date.

    Raises BooksMoving.
    """
    for _ in range(SNAPSHOT_TRIES):
        rows = session.execute(
            TRIAL_BALANCE,
            {"book_id": book_id, "as_of": as_of, "mark": session.scalar(MARK)},
        ).all()
        if all(row.current for row in rows):
            break
    else:
        raise BooksMoving
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
