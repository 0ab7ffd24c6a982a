"""How a refund is written: the payment's way back, from advances or from suspense."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from payments.kernel.ids import PLATFORM_BOOK, BookId
from payments.ledger import operations as ledger
from payments.ledger.operations import Side
from payments.ledger.rules import due_from, due_to
from payments.ledger.templates import Leg, PostingTemplate
from payments.orders.models import Attempt, Order
from payments.refunds.models import Refund
from payments.refunds.rules import Origin

REFUNDED: Final = PostingTemplate(
    name="orders.refunded",
    version=1,
    legs=(
        Leg(
            source=due_from(PLATFORM_BOOK),
            destination="liabilities:customer-advances:{service}",
        ),
    ),
)
SUSPENSE_REFUNDED: Final = PostingTemplate(
    name="orders.suspense-refunded",
    version=1,
    legs=(Leg(source=due_from(PLATFORM_BOOK), destination="liabilities:suspense:{service}"),),
)
RETURNED: Final = PostingTemplate(
    name="orders.returned",
    version=1,
    legs=(Leg(source="assets:provider:{provider}:{account}", destination=due_to("{merchant}")),),
)
TEMPLATES: Final = (REFUNDED, SUSPENSE_REFUNDED, RETURNED)
OF_ORIGIN: Final = {Origin.ORDER: REFUNDED, Origin.SUSPENSE: SUSPENSE_REFUNDED}


def returned(
    session: Session,
    *,
    order: Order,
    attempt: Attempt,
    refund: Refund,
    effective_at: datetime,
    now: datetime,
) -> None:
    """Post a refund that has succeeded."""
    ledger.transfer_between_books(
        session,
        here=Side(
            book_id=BookId(order.book_id),
            template=OF_ORIGIN[Origin(refund.origin)],
            amounts={"amount": refund.amount_minor},
            parameters={"service": order.service},
        ),
        there=Side(
            book_id=PLATFORM_BOOK,
            template=RETURNED,
            amounts={"amount": refund.amount_minor},
            parameters={
                "merchant": order.book_id,
                "provider": attempt.provider,
                "account": attempt.account_id,
            },
        ),
        reference=refund.id,
        effective_at=effective_at,
        now=now,
        metadata={"order_id": order.id, "number": attempt.number, "refund_number": refund.number},
        currency=refund.currency,
    )
