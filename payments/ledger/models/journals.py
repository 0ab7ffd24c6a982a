"""Journals and postings: append-only for the runtime role, by grants."""

from datetime import date, datetime

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
from payments.kernel.watermark import xid_column
from payments.ledger.models.books import IN_A_BOOK


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
