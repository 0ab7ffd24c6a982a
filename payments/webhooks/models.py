"""Events as merchants are told them, their deliveries and every attempt. All local."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from payments.webhooks.rules import DeliveryState

Moment = DateTime(timezone=True)
LOCAL = {"schema": "webhooks", "info": {"sharding": "local"}}


class Event(Model):
    """A fact as merchants are told it; made once, however often the fact is.

    `fact_digest` tells the fact from all others. `sequence` counts the events of one subject, so
    that a receiver can drop what arrives late. `event_id` is the callback's `webhook-id`.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("book_id", "fact_digest"),
        UniqueConstraint("book_id", "subject", "sequence"),
        LOCAL,
    )

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    book_id: Mapped[str] = mapped_column(Text)
    fact_digest: Mapped[bytes] = mapped_column(LargeBinary)
    type: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    subject: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(Moment)


class Delivery(Model):
    """One event for one endpoint.

    `due_at` is when to try next; while an attempt is under way, when it counts as lost. `failures`
    counts those since the start or the last replay, `attempts` all attempts ever.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        CheckConstraint(one_of("state", DeliveryState), name="state"),
        CheckConstraint("(state = 'due') = (finished_at IS NULL)", name="finished"),
        Index("deliveries_waiting_idx", "endpoint_id", "due_at", postgresql_where="state = 'due'"),
        Index("deliveries_listing_idx", "book_id", "delivery_id"),
        LOCAL,
    )

    delivery_id: Mapped[str] = mapped_column(Text, primary_key=True)
    book_id: Mapped[str] = mapped_column(Text)
    endpoint_id: Mapped[str] = mapped_column(Text)
    event_id: Mapped[str] = mapped_column(Text, ForeignKey("webhooks.events.event_id"))
    state: Mapped[str] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(SmallInteger)
    attempts: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class Attempt(Model):
    """One request to an endpoint. Written before it is sent; without `duration_ms` it was lost."""

    __tablename__ = "attempts"
    __table_args__ = (LOCAL,)

    delivery_id: Mapped[str] = mapped_column(
        Text, ForeignKey("webhooks.deliveries.delivery_id"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Moment)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text)


class Health(Model):
    """How an endpoint has been answering: `streak` successes in a row, failures when negative.

    Nothing is sent before `held_until`. `failing_since` is the first failure since a success.
    """

    __tablename__ = "health"
    __table_args__ = (LOCAL,)

    endpoint_id: Mapped[str] = mapped_column(Text, primary_key=True)
    streak: Mapped[int] = mapped_column(Integer)
    held_until: Mapped[datetime | None] = mapped_column(Moment)
    failing_since: Mapped[datetime | None] = mapped_column(Moment)
