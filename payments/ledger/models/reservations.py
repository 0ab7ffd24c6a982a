"""Reservations: written once, but for how they ended."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
from payments.ledger.models.books import IN_A_BOOK
from payments.ledger.rules import ReservationState


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
