"""What the refunds domain does when it hears a fact."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from payments.events.listeners import HandlersByFact, NamedHandler
from payments.orders.facts import SurplusReceived
from payments.refunds import operations


def return_surplus(session: Session, fact: SurplusReceived, *, now: datetime) -> None:
    """Send money that belongs to no order back to whoever paid it."""
    operations.return_surplus(
        session,
        order_id=fact.order_id,
        attempt_id=fact.attempt_id,
        reference=f"surplus:{fact.attempt_id}",
        reason={"late": "订单已关闭，自动退款", "second": "重复支付，自动退款"}[fact.surplus],
        now=now,
    )


HANDLERS: Final[HandlersByFact] = {
    SurplusReceived.name: (NamedHandler(name="refunds.return-surplus", run=return_surplus),),
}
