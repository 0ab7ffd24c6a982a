"""Facts, for ever; and the outbox, which holds those not yet told to every handler."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.ids import BOOK_ID_LENGTH
from payments.kernel.watermark import xid_column


class FactRow(Model):
    """A fact as it was recorded; append-only."""

    __tablename__ = "facts"
    __table_args__ = (
        Index("facts_book_id_subject_idx", "book_id", "subject"),
        {"schema": "events", "info": {"sharding": "book_id"}},
    )

    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH), primary_key=True)
    fact_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    subject: Mapped[str] = mapped_column(Text)
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    xid: Mapped[str] = xid_column(index=True)


class OutboxRow(Model):
    """A fact that is still to be told; the row goes when every handler has heard it.

    `told` names the handlers that have; `parked_at` is set when telling was given up.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "outbox_waiting_idx",
            "position",
            postgresql_where=text("parked_at IS NULL"),
        ),
        Index("outbox_subject_idx", "book_id", "subject", "position"),
        Index("outbox_fact_idx", "book_id", "fact_id", unique=True),
        {"schema": "events", "info": {"sharding": "local"}},
    )

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    book_id: Mapped[str] = mapped_column(String(BOOK_ID_LENGTH))
    fact_id: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    told: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    parked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str] = mapped_column(Text, server_default=text("''"))
