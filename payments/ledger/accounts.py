"""Open accounts, with the bounds the chart gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Text, bindparam, select, text
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


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What an account was opened with; it never changes."""

    currency: str
    bounded: bool


OPEN_ACCOUNTS: Final = text(
    """
INSERT INTO ledger.accounts (book_id, account, currency, bounded, opened_at)
SELECT :book_id, account, currency, bounded, :now
FROM unnest(:accounts, :currencies, :bounded) AS new (account, currency, bounded)
ON CONFLICT DO NOTHING
"""
).bindparams(
    bindparam("accounts", type_=ARRAY(Text)),
    bindparam("currencies", type_=ARRAY(Text)),
    bindparam("bounded", type_=ARRAY(Boolean)),
)

OPEN_BALANCES: Final = text(
    """
INSERT INTO ledger.bounded_balances (book_id, account, minimum_minor, maximum_minor)
SELECT :book_id, account, minimum_minor, maximum_minor
FROM unnest(:accounts, :minima, :maxima) AS new (account, minimum_minor, maximum_minor)
ON CONFLICT DO NOTHING
"""
).bindparams(
    bindparam("accounts", type_=ARRAY(Text)),
    bindparam("minima", type_=ARRAY(BigInteger)),
    bindparam("maxima", type_=ARRAY(BigInteger)),
)


def open_accounts(
    session: Session, *, book_id: BookId, wanted: Mapping[str, str], now: datetime
) -> None:
    """Open those accounts, given with their currency, that are not open yet."""
    bounds = {name: bound_of(name) for name in wanted}
    guarded = {name: bound for name, bound in bounds.items() if bound.is_one}
    session.execute(
        OPEN_ACCOUNTS,
        {
            "book_id": book_id,
            "now": now,
            "accounts": list(wanted),
            "currencies": list(wanted.values()),
            "bounded": [name in guarded for name in wanted],
        },
    )
    if guarded:
        session.execute(
            OPEN_BALANCES,
            {
                "book_id": book_id,
                "accounts": list(guarded),
                "minima": [bound.minimum_minor for bound in guarded.values()],
                "maxima": [bound.maximum_minor for bound in guarded.values()],
            },
        )


def opened(
    session: Session, *, book_id: BookId, wanted: Mapping[str, str], now: datetime
) -> dict[str, Opened]:
    """Return these accounts, having opened those that were not. Raises BookNotFound.

    `wanted` gives the currency to open each with; one that is open may have another.
    """
    known = _known(session, book_id=book_id, names=list(wanted))
    missing = {name: wanted[name] for name in sorted(wanted.keys() - known)}
    if missing:
        queries.check_book(session, book_id=book_id)
        open_accounts(session, book_id=book_id, wanted=missing, now=now)
        known |= _known(session, book_id=book_id, names=list(missing))
    return known


def bounded(
    session: Session, *, book_id: BookId, names: Sequence[str], currency: str, now: datetime
) -> list[str]:
    """Return which of these accounts have a bound, ascending, having opened those that were not.

    Raises BookNotFound, and CurrencyDiffers when one of them holds another currency.
    """
    known = opened(session, book_id=book_id, wanted=dict.fromkeys(names, currency), now=now)
    for name, account in known.items():
        if account.currency != currency:
            raise CurrencyDiffers(f"{name} does not hold {currency}")
    return sorted(name for name, account in known.items() if account.bounded)


def _known(session: Session, *, book_id: BookId, names: Sequence[str]) -> dict[str, Opened]:
    rows = session.execute(
        select(AccountRow.account, AccountRow.currency, AccountRow.bounded).where(
            AccountRow.book_id == book_id, AccountRow.account.in_(names)
        )
    )
    return {row.account: Opened(currency=row.currency, bounded=row.bounded) for row in rows}
