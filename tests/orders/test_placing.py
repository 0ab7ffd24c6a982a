"""Placing an order: once for one reference, whoever asks twice."""

from datetime import timedelta
from typing import Any

import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.errors import Invalid
from payments.kernel.ids import PLATFORM_BOOK, BookId, book_of
from payments.ledger import operations as ledger
from payments.orders import operations
from payments.orders.models import Order

METRO = BookId("HZMTRO")


@pytest.fixture(autouse=True)
def metro_book(database: Database, clock: FixedClock) -> None:
    with database.transaction() as session:
        ledger.open_book(session, book_id=METRO, name="杭州地铁", now=clock.now())


def place(database: Database, clock: FixedClock, **changes: Any) -> Order:
    wanted: dict[str, Any] = {
        "book_id": METRO,
        "service": "transit",
        "service_reference": "trip-1",
        "citizen_id": "cit_1",
        "amount_minor": 400,
        "subject": "地铁单程票",
        "expires_at": clock.now() + timedelta(minutes=15),
        "metadata": {"from": "龙翔桥"},
        "now": clock.now(),
    }
    with database.transaction() as session:
        return operations.place(session, **{**wanted, **changes})


def test_an_order_starts_open_in_the_book_of_its_merchant(
    database: Database, clock: FixedClock
) -> None:
    order = place(database, clock)
    assert order.state == "open"
    assert book_of(order.id) == order.book_id == METRO
    assert order.details == {"from": "龙翔桥"}


def test_the_same_reference_and_content_is_the_same_order(
    database: Database, clock: FixedClock
) -> None:
    first = place(database, clock)
    clock.advance(timedelta(days=1))
    assert place(database, clock, expires_at=first.expires_at).id == first.id


def test_the_same_reference_with_other_content_is_refused(
    database: Database, clock: FixedClock
) -> None:
    place(database, clock)
    with pytest.raises(operations.OrderDiffers):
        place(database, clock, amount_minor=401)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"amount_minor": 2**63},
        {"currency": "USD"},
        {"subject": ""},
        {"subject": "票" * 129},
        {"metadata": {"note": "长" * 4_096}},
        {"citizen_id": ""},
        {"book_id": PLATFORM_BOOK},
    ],
)
def test_what_cannot_be_an_order_is_refused(
    database: Database, clock: FixedClock, changes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        place(database, clock, **changes)


@pytest.mark.parametrize("life", [timedelta(0), timedelta(seconds=-1), timedelta(days=16)])
def test_an_order_expires_within_days(
    database: Database, clock: FixedClock, life: timedelta
) -> None:
    with pytest.raises(Invalid):
        place(database, clock, expires_at=clock.now() + life)


def test_nothing_is_sold_before_its_seller_has_a_book(
    database: Database, clock: FixedClock
) -> None:
    """Fails when the book is not looked for: the citizen pays, and nobody can be credited."""
    with pytest.raises(operations.SellerUnknown):
        place(database, clock, book_id=BookId("LOCKER"))
    with database.transaction() as session:
        ledger.open_book(session, book_id=BookId("LOCKER"), name="寄存柜", now=clock.now())
    assert place(database, clock, book_id=BookId("LOCKER")).state == "open"
