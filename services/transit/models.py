"""The ticket, in the book of the operator at whose station the journey begins."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import CHAR, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from services.transit.rules.tickets import RefundReason, TicketState

Moment = TIMESTAMP(timezone=True)


class Ticket(Model):
    """`count` equal single journeys, bought by one order and collected together.

    `explanation` is the fare engine's, for one journey; the fare can be recomputed from it.
    `refused_refund_id` is the last refund the provider refused; the next request is for another.
    `pick_up_code` exists once the ticket is paid; `collect_until` is fixed when it is ordered.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("book_id", "order_id"),
        UniqueConstraint("book_id", "pick_up_code"),
        CheckConstraint(one_of("state", TicketState), name="state"),
        CheckConstraint(one_of("refund_reason", RefundReason), name="refund_reason"),
        CheckConstraint("count > 0", name="count"),
        CheckConstraint("fare_minor > 0 AND amount_minor = fare_minor * count", name="amount"),
        CheckConstraint(
            "(state IN ('ordered', 'lapsed')) = (pick_up_code IS NULL)", name="pick_up_code"
        ),
        CheckConstraint("(state = 'collected') = (collected_at IS NOT NULL)", name="collected"),
        CheckConstraint(
            "(state IN ('refunding', 'refunded')) = (refund_id IS NOT NULL)", name="refund"
        ),
        Index("tickets_citizen_idx", "citizen_id", "ordered_at", "id"),
        Index("tickets_uncollected_idx", "collect_until", postgresql_where=text("state = 'paid'")),
        {"schema": "transit", "info": {"sharding": "book_id"}},
    )

    book_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    citizen_id: Mapped[str]
    order_id: Mapped[str]
    state: Mapped[str]
    from_station: Mapped[str]
    to_station: Mapped[str]
    count: Mapped[int] = mapped_column(Integer)
    fare_minor: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    distance_m: Mapped[int] = mapped_column(Integer)
    explanation: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    ordered_at: Mapped[datetime] = mapped_column(Moment)
    pay_until: Mapped[datetime] = mapped_column(Moment)
    collect_until: Mapped[datetime] = mapped_column(Moment)
    pick_up_code: Mapped[str | None]
    paid_at: Mapped[datetime | None] = mapped_column(Moment)
    collected_at: Mapped[datetime | None] = mapped_column(Moment)
    collected_by: Mapped[str | None]
    refund_id: Mapped[str | None]
    refused_refund_id: Mapped[str | None]
    refund_reason: Mapped[str | None]
    refunded_at: Mapped[datetime | None] = mapped_column(Moment)
    lapsed_at: Mapped[datetime | None] = mapped_column(Moment)
