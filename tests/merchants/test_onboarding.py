import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.ids import BookId
from payments.kernel.states import TransitionRefused
from payments.ledger import queries as ledger
from payments.merchants import operations, queries
from payments.merchants.models import Merchant
from payments.merchants.operations.onboarding import MerchantExists
from payments.merchants.rules import MerchantEvent, MerchantStatus


def register(
    database: Database,
    clock: FixedClock,
    *,
    book_id: str = "HZMTRO",
    credit_code: str = "91110000600037341L",
    status: MerchantStatus = MerchantStatus.ACTIVE,
) -> Merchant:
    with database.transaction() as session:
        return operations.register(
            session,
            name_zh="杭州地铁",
            name_en="Hangzhou  Metro ",
            book_id=BookId(book_id),
            credit_code=credit_code,
            now=clock.now(),
            status=status,
        )


def test_a_merchant_opens_with_its_book(database: Database, clock: FixedClock) -> None:
    registered = register(database, clock)
    with database.read() as session:
        merchant = queries.merchant_of_book(session, book_id="HZMTRO")
        assert merchant.merchant_id == registered.merchant_id
        assert merchant.name_en == "Hangzhou Metro"
        assert BookId("HZMTRO") in ledger.books(session)


@pytest.mark.parametrize(
    "other",
    [{"credit_code": "91330000MA27XL0X41"}, {"book_id": "HZBUSS"}],
    ids=["same book", "same company"],
)
def test_a_merchant_is_registered_once(
    database: Database, clock: FixedClock, other: dict[str, str]
) -> None:
    register(database, clock)
    with pytest.raises(MerchantExists):
        register(database, clock, **other)  # type: ignore[arg-type]


def test_an_application_becomes_active_only_by_review(
    database: Database, clock: FixedClock
) -> None:
    draft = register(database, clock, status=MerchantStatus.DRAFT)
    with database.transaction() as session, pytest.raises(TransitionRefused):
        operations.change_status(
            session, merchant_id=draft.merchant_id, event=MerchantEvent.APPROVE
        )
    for event in (MerchantEvent.SUBMIT, MerchantEvent.APPROVE):
        with database.transaction() as session:
            merchant = operations.change_status(session, merchant_id=draft.merchant_id, event=event)
    assert merchant.status == MerchantStatus.ACTIVE
