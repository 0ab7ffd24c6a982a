"""Seals of closed days: append-only for the runtime role."""

from datetime import date

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.ids import BOOK_ID_LENGTH
from payments.ledger.models.books import IN_A_BOOK


class GateRow(Model):
    """An empty table. Who posts locks it to be read, who closes a day locks it against that."""

    __tablename__ = "gate"
    __table_args__ = (
        CheckConstraint("false", name="empty"),
        {"schema": "ledger", "info": {"sharding": "local"}},
    )

    name: Mapped[str] = mapped_column(Text, primary_key=True)


class SealRow(Model):
    """A seal; see payments.ledger.seals."""

    __tablename__ = "seals"
    __table_args__ = (IN_A_BOOK,)

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    business_date: Mapped[date] = mapped_column(Date, primary_key=True)
    document: Mapped[str] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(Text)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    journals: Mapped[int] = mapped_column(Integer)
    postings: Mapped[int] = mapped_column(Integer)


class SealChunkRow(Model):
    """A node of a sealed day's tree, so that a proof reads one chunk of journals, not the day."""

    __tablename__ = "seal_chunks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["book_id", "business_date"],
            ["ledger.seals.book_id", "ledger.seals.business_date"],
        ),
        IN_A_BOOK,
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    business_date: Mapped[date] = mapped_column(Date, primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True)
    first_journal_id: Mapped[str] = mapped_column(Text)
    root: Mapped[bytes] = mapped_column(LargeBinary)
