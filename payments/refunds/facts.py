"""What the refunds domain says happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from payments.events.facts import Fact
from payments.kernel.ids import BookId
from payments.orders.models import Order
from payments.refunds.models import Refund

# What the merchant is told of a refund of its own order.
PUBLISHED: Final = (
    "refund_id",
    "order_id",
    "service",
    "service_reference",
    "reference",
    "amount_minor",
    "currency",
    "happened_at",
)


@dataclass(frozen=True, kw_only=True)
class AboutRefund:
    """What every fact about a refund carries; `reference` is the name given by whoever asked."""

    refund_id: str
    order_id: str
    attempt_id: str
    service: str
    service_reference: str
    citizen_id: str
    reference: str
    amount_minor: int
    currency: str
    happened_at: datetime

    @property
    def subject(self) -> str:
        return self.refund_id

    @property
    def occurred_at(self) -> datetime:
        return self.happened_at


@dataclass(frozen=True, kw_only=True)
class RefundSucceeded(AboutRefund, Fact):
    """Part or all of what was paid for an order has been returned."""

    name = "refund.succeeded"
    published = PUBLISHED


@dataclass(frozen=True, kw_only=True)
class RefundFailed(AboutRefund, Fact):
    """The provider will not make a refund; its reservation is released and a case is open."""

    name = "refund.failed"
    published = PUBLISHED


@dataclass(frozen=True, kw_only=True)
class SurplusReturned(AboutRefund, Fact):
    """Money that belonged to no order has been returned; no service's business."""

    name = "refund.surplus-returned"


def about(refund: Refund, order: Order, happened_at: datetime) -> dict[str, Any]:
    """Return the fields of a fact about the refund."""
    return {
        "book_id": BookId(refund.book_id),
        "refund_id": refund.id,
        "order_id": refund.order_id,
        "attempt_id": refund.attempt_id,
        "service": order.service,
        "service_reference": order.service_reference,
        "citizen_id": order.citizen_id,
        "reference": refund.reference,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "happened_at": happened_at,
    }
