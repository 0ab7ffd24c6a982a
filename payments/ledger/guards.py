"""Guarded balances: one row for each account with a bound, changed last and in ascending order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg
from sqlalchemy import ARRAY, BigInteger, Text, bindparam, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId
from payments.ledger.models import BoundedBalanceRow


class BoundReached(Conflict):
    """The account's balance, less what is reserved, would leave its bounds."""

    code = "bound-reached"
    zh = "余额不足或超出限额"
    en = "The balance does not allow this"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is added to a guarded row, in fen and in the account's normal direction.

    `leaving` and `arriving` are what reservations promise; both are never negative in total.
    """

    balance: int = 0
    leaving: int = 0
    arriving: int = 0


@dataclass(kw_only=True)
class Guard:
    """A guarded row that is locked, and its balance as entries are played against it."""

    balance: int
    leaving: int
    arriving: int
    minimum: int | None
    maximum: int | None

    def allows(self, change: int) -> bool:
        """Say whether the balance may change by so much, as the table's constraints would."""
        after = self.balance + change
        return (self.minimum is None or after - self.leaving >= self.minimum) and (
            self.maximum is None or after + self.arriving <= self.maximum
        )


MOVE: Final = text(
    """
UPDATE ledger.bounded_balances
SET balance_minor = balance_minor + :balance, leaving_minor = leaving_minor + :leaving,
    arriving_minor = arriving_minor + :arriving
WHERE book_id = :book_id AND account = :account
"""
)

MOVE_MANY: Final = text(
    """
UPDATE ledger.bounded_balances AS guarded SET balance_minor = balance_minor + moved.balance
FROM unnest(:accounts, :balances) AS moved (account, balance)
WHERE guarded.book_id = :book_id AND guarded.account = moved.account
"""
).bindparams(
    bindparam("accounts", type_=ARRAY(Text)), bindparam("balances", type_=ARRAY(BigInteger))
)


def move(session: Session, *, book_id: BookId, changes: Mapping[str, Change]) -> None:
    """Change guarded balances, ascending so that posters wait for each other and never deadlock.

    The table's own constraints are the guard, so a refusal also makes sure that what was written
    before it cannot be committed. Raises BoundReached.
    """
    for account in sorted(changes):
        change = changes[account]
        try:
            session.execute(
                MOVE,
                {
                    "book_id": book_id,
                    "account": account,
                    "balance": change.balance,
                    "leaving": change.leaving,
                    "arriving": change.arriving,
                },
            )
        except IntegrityError as error:
            if isinstance(error.orig, psycopg.errors.CheckViolation):
                raise BoundReached(account) from error
            raise


def lock(session: Session, *, book_id: BookId, names: Sequence[str]) -> dict[str, Guard]:
    """Lock guarded rows in ascending order and return them by account."""
    rows = session.execute(
        select(*BoundedBalanceRow.__table__.columns)
        .where(BoundedBalanceRow.book_id == book_id, BoundedBalanceRow.account.in_(names))
        .order_by(BoundedBalanceRow.account)
        .with_for_update()
    )
    return {
        row.account: Guard(
            balance=row.balance_minor,
            leaving=row.leaving_minor,
            arriving=row.arriving_minor,
            minimum=row.minimum_minor,
            maximum=row.maximum_minor,
        )
        for row in rows
    }


def move_many(session: Session, *, book_id: BookId, changes: Mapping[str, int]) -> None:
    """Change the balances of rows that are locked and known to allow it."""
    if changes:
        session.execute(
            MOVE_MANY,
            {
                "book_id": book_id,
                "accounts": list(changes),
                "balances": list(changes.values()),
            },
        )
