"""Guarded balances: one row for each account with a bound, changed last and in ascending order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId


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


MOVE: Final = text(
    """
UPDATE ledger.bounded_balances
SET balance_minor = balance_minor + :balance, leaving_minor = leaving_minor + :leaving,
    arriving_minor = arriving_minor + :arriving
WHERE book_id = :book_id AND account = :account
"""
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
