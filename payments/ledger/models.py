"""The books. Journals and postings are append-only for the runtime role, by grants."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.ids import BOOK_ID_LENGTH
from payments.kernel.states import one_of
from payments.kernel.watermark import xid_column
from payments.ledger.rules import ACCOUNT_NAME_PATTERN, ReservationState

IN_A_BOOK: Final[dict[str, Any]] = {"schema": "ledger", "info": {"sharding": "book_id"}}


class BookRow(Model):
    """A book; one for every merchant and one for the platform."""

    __tablename__ = "books"
    __table_args__ = (IN_A_BOOK,)

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CalendarRow(Model):
    """The first business date a book still takes journals for; every earlier one is closed."""

    __tablename__ = "calendars"
    __table_args__ = (IN_A_BOOK,)

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    open_from: Mapped[date] = mapped_column(Date)


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


class JournalRow(Model):
    """A journal; the reference is unique in its book, and so is a reversal of another journal."""

    __tablename__ = "journals"
    __table_args__ = (
        Index("journals_reference_key", "book_id", "reference", unique=True),
        Index(
            "journals_reverses_key",
            "book_id",
            "reverses_journal_id",
            unique=True,
            postgresql_where=text("reverses_journal_id IS NOT NULL"),
        ),
        Index(
            "journals_book_id_business_date_journal_id_idx",
            "book_id",
            "business_date",
            "journal_id",
        ),
        IN_A_BOOK,
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    journal_id: Mapped[str] = mapped_column(Text, primary_key=True)
    reference: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    template: Mapped[str] = mapped_column(Text)
    template_version: Mapped[int] = mapped_column(SmallInteger)
    effective_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    business_date: Mapped[date] = mapped_column(Date)
    late_for: Mapped[date | None] = mapped_column(Date)
    reverses_journal_id: Mapped[str | None] = mapped_column(Text)
    entry_metadata: Mapped[dict[str, str]] = mapped_column("metadata", JSONB)


class PostingRow(Model):
    """One movement from a source account (credited) to a destination account (debited).

    No foreign key points at an account: it would make every posting lock a hot row. `xid` is what
    balances are rolled up by.
    """

    __tablename__ = "postings"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("source <> destination", name="movement"),
        ForeignKeyConstraint(
            ["book_id", "journal_id"], ["ledger.journals.book_id", "ledger.journals.journal_id"]
        ),
        Index("postings_source_idx", "book_id", "source", "xid"),
        Index("postings_destination_idx", "book_id", "destination", "xid"),
        IN_A_BOOK,
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    journal_id: Mapped[str] = mapped_column(Text, primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    destination: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    business_date: Mapped[date] = mapped_column(Date)
    xid: Mapped[str] = xid_column(index=True)


class ReservationRow(Model):
    """A journal in waiting; only its end is ever written over."""

    __tablename__ = "reservations"
    __table_args__ = (
        CheckConstraint(one_of("state", ReservationState), name="state"),
        CheckConstraint("(state = 'posted') = (journal_id IS NOT NULL)", name="journal"),
        Index("reservations_reference_key", "book_id", "reference", unique=True),
        Index(
            "reservations_pending_idx",
            "expires_at",
            postgresql_where=text("state = 'pending'"),
        ),
        IN_A_BOOK,
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    reservation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    reference: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    template: Mapped[str] = mapped_column(Text)
    template_version: Mapped[int] = mapped_column(SmallInteger)
    currency: Mapped[str] = mapped_column(String(3))
    entry_metadata: Mapped[dict[str, str]] = mapped_column("metadata", JSONB)
    state: Mapped[str] = mapped_column(Text)
    effective_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reserved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    journal_id: Mapped[str | None] = mapped_column(Text)


class ReservationLineRow(Model):
    """What a reservation holds; append-only."""

    __tablename__ = "reservation_lines"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("source <> destination", name="movement"),
        ForeignKeyConstraint(
            ["book_id", "reservation_id"],
            ["ledger.reservations.book_id", "ledger.reservations.reservation_id"],
        ),
        IN_A_BOOK,
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    reservation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    destination: Mapped[str] = mapped_column(Text)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
