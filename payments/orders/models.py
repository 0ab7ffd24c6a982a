"""Tables of orders, of the attempts to pay them, and of cases; all live in the merchant's book."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from payments.orders.rules import AttemptState, CaseKind, CloseReason, OrderState, Surplus

Moment = TIMESTAMP(timezone=True)
SHARDED = {"schema": "orders", "info": {"sharding": "book_id"}}


class Order(Model):
    """What a citizen owes a merchant, once. `service_reference` is the service's own name for it.

    `refunding_minor` is reserved by refunds under way, `refunded_minor` has been returned; together
    they never exceed what was paid. `closing_since` is set while the order is being closed at the
    providers: no attempt may start any more, but a payment found there still counts.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("book_id", "service", "service_reference"),
        CheckConstraint(one_of("state", OrderState), name="state"),
        CheckConstraint(one_of("close_reason", CloseReason), name="close_reason"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "refunding_minor >= 0 AND refunded_minor >= 0 AND refunding_minor + refunded_minor"
            " <= CASE WHEN state = 'paid' THEN amount_minor ELSE 0 END",
            name="refunds",
        ),
        CheckConstraint("(state = 'paid') = (paid_attempt_id IS NOT NULL)", name="paid"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        Index(
            "orders_close_due_idx",
            "book_id",
            "next_close_at",
            postgresql_where=text("next_close_at IS NOT NULL"),
        ),
        Index("orders_citizen_idx", "citizen_id", "placed_at"),
        SHARDED,
    )

    book_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str]
    service_reference: Mapped[str]
    citizen_id: Mapped[str]
    state: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    subject: Mapped[str]
    details: Mapped[Mapping[str, Any]] = mapped_column("metadata", JSONB)
    placed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    paid_at: Mapped[datetime | None] = mapped_column(Moment)
    paid_attempt_id: Mapped[str | None]
    closing_since: Mapped[datetime | None] = mapped_column(Moment)
    close_reason: Mapped[str | None]
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    next_close_at: Mapped[datetime | None] = mapped_column(Moment)
    refunding_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)


class Attempt(Model):
    """One attempt to pay an order at one provider account, under a number of its own.

    `request_key` makes starting it repeatable. `client` is what the front end hands to the
    provider's SDK. `surplus` is set when its money belongs to no order. `next_query_at` is when to
    ask the provider next, and null when there is nothing left to ask.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["book_id", "order_id"], ["orders.orders.book_id", "orders.orders.id"]
        ),
        UniqueConstraint("book_id", "number"),
        UniqueConstraint("book_id", "order_id", "request_key"),
        CheckConstraint(one_of("state", AttemptState), name="state"),
        CheckConstraint(one_of("surplus", Surplus), name="surplus"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("(state = 'succeeded') = (succeeded_at IS NOT NULL)", name="succeeded"),
        Index(
            "attempts_query_due_idx",
            "book_id",
            "next_query_at",
            postgresql_where=text("next_query_at IS NOT NULL"),
        ),
        SHARDED,
    )

    book_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str]
    number: Mapped[str]
    request_key: Mapped[str]
    provider: Mapped[str]
    account_id: Mapped[str]
    scene: Mapped[str]
    state: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    client: Mapped[Mapping[str, str]] = mapped_column(JSONB)
    provider_number: Mapped[str | None]
    reason: Mapped[str]
    surplus: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(Moment)
    succeeded_at: Mapped[datetime | None] = mapped_column(Moment)
    queries: Mapped[int] = mapped_column(Integer)
    last_query_at: Mapped[datetime | None] = mapped_column(Moment)
    next_query_at: Mapped[datetime | None] = mapped_column(Moment)


class Case(Model):
    """A report that does not fit our record, for a person to resolve; nothing was changed by it.

    The same finding about the same subject is one case, however often it is seen. `evidence` holds
    what we expected and what we were told.
    """

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("book_id", "kind", "subject", "fingerprint"),
        CheckConstraint(one_of("kind", CaseKind), name="kind"),
        CheckConstraint("sightings > 0", name="sightings"),
        Index(
            "cases_open_idx", "book_id", "opened_at", postgresql_where=text("resolved_at IS NULL")
        ),
        SHARDED,
    )

    book_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    fingerprint: Mapped[str]
    evidence: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    opened_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    sightings: Mapped[int] = mapped_column(Integer)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]
