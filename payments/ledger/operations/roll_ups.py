"""Roll postings up into totals, so that a balance is a total and a short tail."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.kernel.watermark import SETTLED

LOCK_MARK: Final = text(
    "SELECT xid FROM ledger.watermarks WHERE name = 'roll-up' FOR UPDATE SKIP LOCKED"
)

CUT: Final = text(
    f"""
SELECT COALESCE(
    (SELECT xid FROM ledger.postings WHERE xid >= CAST(:mark AS xid8) AND xid < settled
     ORDER BY xid OFFSET :limit LIMIT 1),
    settled)
FROM (SELECT {SETTLED} AS settled) AS now
"""  # noqa: S608  a constant of our own
)

ADD_UP: Final = text(
    """
WITH sides AS (
    SELECT book_id, destination AS account, business_date, currency, xid,
           amount_minor AS debit, 0 AS credit
    FROM ledger.postings WHERE xid >= CAST(:mark AS xid8) AND xid < CAST(:cut AS xid8)
    UNION ALL
    SELECT book_id, source, business_date, currency, xid, 0, amount_minor
    FROM ledger.postings WHERE xid >= CAST(:mark AS xid8) AND xid < CAST(:cut AS xid8)
), days AS MATERIALIZED (
    SELECT book_id, account, business_date, currency, sum(debit) AS debits,
           sum(credit) AS credits, min(xid) AS first_xid, max(xid) AS last_xid,
           count(*) AS sides
    FROM sides GROUP BY book_id, account, business_date, currency
), by_day AS (
    INSERT INTO ledger.daily_totals AS rolled (
        book_id, account, business_date, currency, debits_minor, credits_minor,
        first_xid, last_xid)
    SELECT book_id, account, business_date, currency, debits, credits, first_xid, last_xid
    FROM days
    ON CONFLICT (book_id, account, business_date) DO UPDATE SET
        debits_minor = rolled.debits_minor + excluded.debits_minor,
        credits_minor = rolled.credits_minor + excluded.credits_minor,
        last_xid = excluded.last_xid
), in_all AS (
    INSERT INTO ledger.totals AS rolled (book_id, account, currency, debits_minor, credits_minor)
    SELECT book_id, account, currency, sum(debits), sum(credits)
    FROM days GROUP BY book_id, account, currency
    ON CONFLICT (book_id, account) DO UPDATE SET
        debits_minor = rolled.debits_minor + excluded.debits_minor,
        credits_minor = rolled.credits_minor + excluded.credits_minor
)
SELECT CAST(COALESCE(sum(sides), 0) / 2 AS bigint) FROM days
"""
)

MOVE_MARK: Final = text(
    "UPDATE ledger.watermarks SET xid = CAST(:cut AS xid8) WHERE name = 'roll-up'"
)


def roll_up(session: Session, *, limit: int) -> int:
    """Add about `limit` settled postings to the totals; return how many were added.

    One roll-up runs at a time; a second one returns 0 at once. Nobody who posts waits for it: it
    takes only postings of transactions that have ended (never "id > last seen").
    """
    mark = session.scalar(LOCK_MARK)
    if mark is None:
        return 0
    cut = session.execute(CUT, {"mark": mark, "limit": limit}).scalar_one()
    if cut == mark:  # One transaction alone wrote more than the limit, or nothing has settled.
        cut = str(int(mark) + 1)
        if session.execute(text(f"SELECT CAST(:cut AS xid8) > {SETTLED}"), {"cut": cut}).scalar():
            return 0
    added: int = session.execute(ADD_UP, {"mark": mark, "cut": cut}).scalar_one()
    if added:
        session.execute(MOVE_MARK, {"cut": cut})
    return added
