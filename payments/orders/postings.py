"""How a payment is written: the merchant's book claims it from the platform, which collected it.

A service moves what it has delivered from customer advances to its income. A surplus waits in
suspense.
"""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from payments.kernel.ids import PLATFORM_BOOK, BookId
from payments.ledger import operations as ledger
from payments.ledger.operations import Side
from payments.ledger.rules import due_from, due_to
from payments.ledger.templates import Leg, PostingTemplate
from payments.orders.models import Attempt, Order

PAID: Final = PostingTemplate(
    name="orders.paid",
    version=1,
    legs=(
        Leg(
            source="liabilities:customer-advances:{service}",
            destination=due_from(PLATFORM_BOOK),
        ),
    ),
)
SUSPENSE: Final = PostingTemplate(
    name="orders.suspense",
    version=1,
    legs=(Leg(source="liabilities:suspense:{service}", destination=due_from(PLATFORM_BOOK)),),
)
COLLECTED: Final = PostingTemplate(
    name="orders.collected",
    version=1,
    legs=(Leg(source=due_to("{merchant}"), destination="assets:provider:{provider}:{account}"),),
)
TEMPLATES: Final = (PAID, SUSPENSE, COLLECTED)


def paid(
    session: Session, *, order: Order, attempt: Attempt, effective_at: datetime, now: datetime
) -> None:
    """Post the payment of an order."""
    _collect(session, PAID, order=order, attempt=attempt, effective_at=effective_at, now=now)


def surplus(
    session: Session, *, order: Order, attempt: Attempt, effective_at: datetime, now: datetime
) -> None:
    """Post money that belongs to no order to suspense."""
    _collect(session, SUSPENSE, order=order, attempt=attempt, effective_at=effective_at, now=now)


def _collect(
    session: Session,
    template: PostingTemplate,
    *,
    order: Order,
    attempt: Attempt,
    effective_at: datetime,
    now: datetime,
) -> None:
    ledger.transfer_between_books(
        session,
        here=Side(
            book_id=BookId(order.book_id),
            template=template,
            amounts={"amount": attempt.amount_minor},
            parameters={"service": order.service},
        ),
        there=Side(
            book_id=PLATFORM_BOOK,
            template=COLLECTED,
            amounts={"amount": attempt.amount_minor},
            parameters={
                "merchant": order.book_id,
                "provider": attempt.provider,
                "account": attempt.account_id,
            },
        ),
        reference=attempt.id,
        effective_at=effective_at,
        now=now,
        metadata={"order_id": order.id, "number": attempt.number},
        currency=attempt.currency,
    )
