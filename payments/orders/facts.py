"""What the orders domain says happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from payments.events.facts import Fact
from payments.kernel.ids import BookId
from payments.orders.models import Order
from payments.orders.rules import CloseReason, Surplus

# What the merchant is told of its own order; who the citizen is stays with the city.
PUBLISHED: Final = ("order_id", "service", "service_reference", "amount_minor", "currency")


@dataclass(frozen=True, kw_only=True)
class AboutOrder:
    """What every fact about an order carries; `service_reference` is the service's own name."""

    order_id: str
    service: str
    service_reference: str
    citizen_id: str
    amount_minor: int
    currency: str

    @property
    def subject(self) -> str:
        return self.order_id


@dataclass(frozen=True, kw_only=True)
class OrderPaid(AboutOrder, Fact):
    """An order was paid, once and for all; the service may deliver."""

    name = "order.paid"
    published = (*PUBLISHED, "provider", "paid_at")

    attempt_id: str
    provider: str
    paid_at: datetime

    @property
    def occurred_at(self) -> datetime:
        return self.paid_at


@dataclass(frozen=True, kw_only=True)
class OrderClosed(AboutOrder, Fact):
    """An order can no longer be paid; the service may release what it held."""

    name = "order.closed"
    published = (*PUBLISHED, "reason", "closed_at")

    reason: CloseReason
    closed_at: datetime

    @property
    def occurred_at(self) -> datetime:
        return self.closed_at


@dataclass(frozen=True, kw_only=True)
class SurplusReceived(AboutOrder, Fact):
    """Money came in that belongs to no order; it sits in suspense until it is returned."""

    name = "order.surplus-received"

    attempt_id: str
    surplus: Surplus
    provider: str
    received_at: datetime

    @property
    def occurred_at(self) -> datetime:
        return self.received_at


def about(order: Order) -> dict[str, Any]:
    """Return the fields that every fact about the order carries."""
    return {
        "book_id": BookId(order.book_id),
        "order_id": order.id,
        "service": order.service,
        "service_reference": order.service_reference,
        "citizen_id": order.citizen_id,
        "amount_minor": order.amount_minor,
        "currency": order.currency,
    }
