"""Books and accounts."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKeyConstraint,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.ids import BOOK_ID_LENGTH
from payments.ledger.rules import ACCOUNT_NAME_PATTERN

IN_A_BOOK: Final[dict[str, Any]] = {"schema": "ledger", "info": {"sharding": "book_id"}}


class BookRow(Model):
    """A book; one for every merchant and one for the platform."""

    __tablename__ = "books"
    __table_args__ = (IN_A_BOOK,)

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CalendarRow(Model):
    """When a book was opened, and the first date it still takes journals for.

    Every earlier date is closed.
    """

    __tablename__ = "calendars"
    __table_args__ = (IN_A_BOOK,)

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    open_from: Mapped[date] = mapped_column(Date)
    opened_on: Mapped[date] = mapped_column(Date)


class AccountRow(Model):
    """An account; it has a row in bounded_balances when it has a bound."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint(
            f"account ~ '{ACCOUNT_NAME_PATTERN}'".replace(":", r"\:"), name="account_name"
        ),
        IN_A_BOOK,
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    currency: Mapped[str] = mapped_column(String(3))
    bounded: Mapped[bool]
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class BoundedBalanceRow(Model):
    """The balance of an account with a bound, in fen and in the account's normal direction.

    `leaving_minor` and `arriving_minor` are promised by reservations that are not settled yet.
    """

    __tablename__ = "bounded_balances"
    __table_args__ = (
        CheckConstraint("balance_minor - leaving_minor >= minimum_minor", name="minimum"),
        CheckConstraint("balance_minor + arriving_minor <= maximum_minor", name="maximum"),
        CheckConstraint("leaving_minor >= 0 AND arriving_minor >= 0", name="reserved"),
        ForeignKeyConstraint(
            ["book_id", "account"], ["ledger.accounts.book_id", "ledger.accounts.account"]
        ),
        {**IN_A_BOOK, "postgresql_with": {"fillfactor": "50"}},
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    account: Mapped[str] = mapped_column(Text, primary_key=True)
    balance_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    leaving_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    arriving_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    minimum_minor: Mapped[int | None] = mapped_column(BigInteger)
    maximum_minor: Mapped[int | None] = mapped_column(BigInteger)
