"""Open accounts, with the bounds the chart gives them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId
from payments.ledger import queries
from payments.ledger.chart import bound_of
from payments.ledger.models import AccountRow


class CurrencyDiffers(Conflict):
    """An account holds one currency; another needs an account of its own."""

    code = "currency-differs"
    zh = "科目币种不一致"
    en = "The account holds another currency"


OPEN_ACCOUNTS: Final = text(
    """
INSERT INTO ledger.accounts (book_id, account, currency, bounded, opened_at)
VALUES (:book_id, :account, :currency, :bounded, :opened_at) ON CONFLICT DO NOTHING
"""
)

OPEN_BALANCES: Final = text(
    """
INSERT INTO ledger.bounded_balances (book_id, account, minimum_minor, maximum_minor)
VALUES (:book_id, :account, :minimum_minor, :maximum_minor) ON CONFLICT DO NOTHING
"""
)


def open_accounts(
    session: Session, *, book_id: BookId, names: Sequence[str], currency: str, now: datetime
) -> None:
    """Open those accounts that are not open yet, with the bounds the chart gives them."""
    bounds = {name: bound_of(name) for name in names}
    guarded = [
        {
            "book_id": book_id,
            "account": name,
            "minimum_minor": bound.minimum_minor,
            "maximum_minor": bound.maximum_minor,
        }
        for name, bound in bounds.items()
        if (bound.minimum_minor, bound.maximum_minor) != (None, None)
    ]
    guarded_names = {row["account"] for row in guarded}
    session.execute(
        OPEN_ACCOUNTS,
        [
            {
                "book_id": book_id,
                "account": name,
                "currency": currency,
                "bounded": name in guarded_names,
                "opened_at": now,
            }
            for name in names
        ],
    )
    if guarded:
        session.execute(OPEN_BALANCES, guarded)


def bounded(
    session: Session, *, book_id: BookId, names: Sequence[str], currency: str, now: datetime
) -> list[str]:
    """Return which of these accounts have a bound, ascending, having opened those that were not.

    Raises BookNotFound, and CurrencyDiffers when one of them holds another currency.
    """
    known = _known(session, book_id=book_id, names=names, currency=currency)
    if len(known) < len(names):
        queries.check_book(session, book_id=book_id)
        open_accounts(session, book_id=book_id, names=names, currency=currency, now=now)
        known = _known(session, book_id=book_id, names=names, currency=currency)
    if len(known) < len(names):
        raise CurrencyDiffers(f"one of {len(names)} accounts does not hold {currency}")
    return sorted(name for name, has_bound in known.items() if has_bound)


def _known(
    session: Session, *, book_id: BookId, names: Sequence[str], currency: str
) -> dict[str, bool]:
    rows = session.execute(
        select(AccountRow.account, AccountRow.bounded).where(
            AccountRow.book_id == book_id,
            AccountRow.account.in_(names),
            AccountRow.currency == currency,
        )
    )
    return {row.account: row.bounded for row in rows}
