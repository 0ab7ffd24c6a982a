"""Statements with a running balance, page by page."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from payments.kernel.ids import BookId
from payments.kernel.watermark import SETTLED
from payments.ledger.queries.balances import balance
from payments.ledger.rules import account_type
from payments.ledger.statements import Place, Statement, StatementLine

STATEMENT_PAGE: Final = 100

# The days' first and last transactions bound the scan; the tail is not yet in any day.
RANGE: Final = text(
    """
SELECT COALESCE(
           (SELECT min(first_xid) FROM ledger.daily_totals
            WHERE book_id = :book_id AND account = :account AND business_date >= :first), mark.xid
       ) AS from_xid,
       (SELECT max(last_xid) FROM ledger.daily_totals
        WHERE book_id = :book_id AND account = :account AND business_date <= :last) AS last_xid,
       EXISTS (SELECT FROM ledger.postings
               WHERE book_id = :book_id AND source = :account AND xid >= mark.xid
                 AND business_date <= :last)
       OR EXISTS (SELECT FROM ledger.postings
                  WHERE book_id = :book_id AND destination = :account AND xid >= mark.xid
                    AND business_date <= :last) AS tail
FROM ledger.watermarks AS mark WHERE name = 'roll-up'
"""
)

_SIDE: Final = f"""
(SELECT xid, journal_id, line, business_date, {{counterpart}} AS counterpart,
        {{debit}} AS debit, {{credit}} AS credit
 FROM ledger.postings
 WHERE book_id = :book_id AND {{side}} = :account
   AND xid >= CAST(:from_xid AS xid8) AND xid <= CAST(:until_xid AS xid8)
   AND (xid, journal_id, line) > (CAST(:from_xid AS xid8), :from_journal_id, :from_line)
   AND (xid < {SETTLED} OR xid = pg_current_xact_id_if_assigned())
   AND business_date BETWEEN :first AND :last
 ORDER BY xid, journal_id, line LIMIT :limit)
"""  # noqa: S608  a constant of our own

LINES: Final = text(
    """
WITH lines AS (
    {destination} UNION ALL {source} ORDER BY xid, journal_id, line LIMIT :limit
)
SELECT lines.*, journal.reference, journal.template, journal.effective_at
FROM lines JOIN ledger.journals AS journal
    ON journal.book_id = :book_id AND journal.journal_id = lines.journal_id
ORDER BY lines.xid, lines.journal_id, lines.line
""".format(
        destination=_SIDE.format(
            side="destination", counterpart="source", debit="amount_minor", credit="0"
        ),
        source=_SIDE.format(
            side="source", counterpart="destination", debit="0", credit="amount_minor"
        ),
    )
)
END_OF_XIDS: Final = "18446744073709551615"
DAY: Final = timedelta(days=1)


def statement(
    session: Session,
    *,
    book_id: BookId,
    account: str,
    first: date,
    last: date,
    after: Place | None = None,
    limit: int = STATEMENT_PAGE,
) -> Statement:
    """Return a page of an account's postings of the business dates `first` to `last`.

    Postings are listed once their transaction has settled, so that nothing is ever inserted before
    a page that was read.
    """
    scan = {"book_id": book_id, "account": account, "first": first, "last": last}
    found = session.execute(RANGE, scan).one()
    opening = (
        after.balance_minor
        if after
        else balance(session, book_id=book_id, account=account, as_of=first - DAY).balance_minor
    )
    rows = session.execute(
        LINES,
        {
            **scan,
            "from_xid": after.xid if after else found.from_xid,
            "from_journal_id": after.journal_id if after else "",
            "from_line": after.line if after else 0,
            "until_xid": END_OF_XIDS if found.tail else found.last_xid or "0",
            "limit": limit,
        },
    ).all()
    lines = _running(rows, account=account, opening=opening)
    return Statement(
        book_id=book_id,
        account=account,
        opening_minor=opening,
        lines=lines,
        next=Place(
            xid=rows[-1].xid,
            journal_id=rows[-1].journal_id,
            line=rows[-1].line,
            balance_minor=lines[-1].balance_minor,
        )
        if len(rows) == limit
        else None,
    )


def _running(rows: Sequence[Row[Any]], *, account: str, opening: int) -> list[StatementLine]:
    sign, reached = account_type(account).normal_sign, opening
    lines = []
    for row in rows:
        reached += sign * (row.debit - row.credit)
        lines.append(
            StatementLine(
                journal_id=row.journal_id,
                line=row.line,
                reference=row.reference,
                template=row.template,
                business_date=row.business_date,
                effective_at=row.effective_at,
                counterpart=row.counterpart,
                debit_minor=row.debit,
                credit_minor=row.credit,
                balance_minor=reached,
            )
        )
    return lines
