"""Templates, books and shorthand for the ledger's tests."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from payments.kernel.ids import PLATFORM_BOOK, BookId
from payments.ledger import chart, operations
from payments.ledger.journals import Journal
from payments.ledger.templates import Leg, PostingTemplate

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 in Shanghai.
SUNDAY = NOW - timedelta(days=1)
METRO = BookId("HZMTRO")

MOVE = PostingTemplate(
    name="tests.move",
    version=1,
    legs=(Leg(source="liabilities:wallet:{giver}", destination="liabilities:wallet:{taker}"),),
)
PREPAID = chart.declare(chart.Bound(accounts="liabilities:tests-prepaid:{citizen}"))
CAPPED = chart.declare(
    chart.Bound(accounts="assets:tests-till:{till}", minimum_minor=None, maximum_minor=1000)
)
TOP_UP = PostingTemplate(
    name="tests.top-up",
    version=1,
    legs=(Leg(source="liabilities:tests-prepaid:{citizen}", destination="assets:cash"),),
)
SPEND = PostingTemplate(
    name="tests.spend",
    version=1,
    legs=(Leg(source="income:fares", destination="liabilities:tests-prepaid:{citizen}"),),
)
TILL = PostingTemplate(
    name="tests.till",
    version=1,
    legs=(Leg(source="income:fares", destination="assets:tests-till:{till}"),),
)
PAID = PostingTemplate(
    name="tests.paid",
    version=1,
    legs=(
        Leg(source="liabilities:customer-advances:transit", destination="assets:due-from:QTPLAT"),
    ),
)
PAID_AT_PLATFORM = PostingTemplate(
    name="tests.paid-at-platform",
    version=1,
    legs=(Leg(source="liabilities:due-to:{merchant}", destination="assets:provider:alipay:main"),),
)


def open_books(session: Session) -> None:
    """Open the books on Sunday, so that something can be posted the day before NOW."""
    operations.open_book(session, book_id=METRO, name="Metro", now=SUNDAY)
    operations.open_book(session, book_id=PLATFORM_BOOK, name="Platform", now=SUNDAY)


def post(
    session: Session,
    template: PostingTemplate,
    reference: str,
    amount: int,
    *,
    now: datetime = NOW,
    book_id: BookId = METRO,
    currency: str = "CNY",
    metadata: dict[str, str] | None = None,
    **parameters: str,
) -> Journal:
    return operations.post(
        session,
        book_id=book_id,
        template=template,
        amounts={"amount": amount},
        parameters=parameters,
        reference=reference,
        effective_at=now,
        now=now,
        currency=currency,
        metadata=metadata,
    )
