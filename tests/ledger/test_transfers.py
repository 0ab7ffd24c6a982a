import pytest

from payments.events import flows
from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.ids import PLATFORM_BOOK
from payments.ledger import operations, queries
from payments.ledger.handlers import HANDLERS
from payments.ledger.journals import Journal
from payments.ledger.operations import Side, TransferNotPaired
from tests.support.books import METRO, NOW, PAID, PAID_AT_PLATFORM, open_books


def transfer(database: Database, *, here: int = 500, there: int = 500) -> Journal:
    with database.transaction() as session:
        open_books(session)
        return operations.transfer_between_books(
            session,
            here=Side(book_id=METRO, template=PAID, amounts={"amount": here}, parameters={}),
            there=Side(
                book_id=PLATFORM_BOOK,
                template=PAID_AT_PLATFORM,
                amounts={"amount": there},
                parameters={"merchant": METRO},
            ),
            reference="ord_1/paid",
            effective_at=NOW,
            now=NOW,
            metadata={"order": "ord_1"},
        )


def test_the_other_book_follows_by_a_fact(database: Database, clock: FixedClock) -> None:
    """Seen to fail when a repeated transfer records its fact again."""
    transfer(database)
    assert not transfer(database).is_new
    with database.read() as session:
        half = queries.trial_balance(session)
    assert half.balanced
    assert [pair.matches for pair in half.pairs] == [False]
    assert flows.drain(database, handlers=HANDLERS, clock=clock) == 1
    assert flows.drain(database, handlers=HANDLERS, clock=clock) == 0
    with database.read() as session:
        whole = queries.trial_balance(session)
        other = queries.journal_of_reference(
            session, book_id=PLATFORM_BOOK, reference="HZMTRO/ord_1/paid"
        )
    assert whole.balanced
    assert [(pair.claimed_minor, pair.matches) for pair in whole.pairs] == [(500, True)]
    assert other.metadata == {"order": "ord_1"}
    assert other.template == "tests.paid-at-platform"


def test_both_sides_of_a_transfer_must_agree(database: Database) -> None:
    with pytest.raises(TransferNotPaired):
        transfer(database, there=499)
