"""The table of refunds; it lives in the merchant's book, beside the order."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from payments.refunds.rules import Origin, RefundState

Moment = TIMESTAMP(timezone=True)


class Refund(Model):
    """One refund of one payment. `number` is what the provider knows it by, on every try.

    `reference` is whoever asked's own name for it. A surplus is returned at most once.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        ForeignKeyConstraint(
            ["book_id", "order_id"], ["orders.orders.book_id", "orders.orders.id"]
        ),
        ForeignKeyConstraint(
            ["book_id", "attempt_id"], ["orders.attempts.book_id", "orders.attempts.id"]
        ),
        UniqueConstraint("book_id", "order_id", "reference"),
        UniqueConstraint("book_id", "number"),
        Index(
            "refunds_surplus_once_idx",
            "book_id",
            "attempt_id",
            unique=True,
            postgresql_where=text("origin = 'suspense' AND state <> 'failed'"),
        ),
        Index(
            "refunds_due_idx",
            "book_id",
            "next_try_at",
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
        CheckConstraint(one_of("state", RefundState), name="state"),
        CheckConstraint(one_of("origin", Origin), name="origin"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(state = 'succeeded') = (succeeded_at IS NOT NULL)", name="succeeded"),
        CheckConstraint("approved_by <> requested_by", name="four_eyes"),
        {"schema": "refunds", "info": {"sharding": "book_id"}},
    )

    book_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    attempt_id: Mapped[str]
    origin: Mapped[str]
    reference: Mapped[str]
    number: Mapped[str]
    account_id: Mapped[str]
    state: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    reason: Mapped[str]
    answer: Mapped[str]
    provider_number: Mapped[str | None]
    requested_at: Mapped[datetime] = mapped_column(Moment)
    requested_by: Mapped[str | None]
    approved_at: Mapped[datetime | None] = mapped_column(Moment)
    approved_by: Mapped[str | None]
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    succeeded_at: Mapped[datetime | None] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(Integer)
    next_try_at: Mapped[datetime | None] = mapped_column(Moment)
