from collections import Counter
from datetime import date, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from payments.kernel.database import Database
from payments.kernel.ids import BookId
from payments.ledger import queries
from payments.ledger.journals import MetadataTooLong, ReferenceInvalid
from payments.ledger.operations import BoundReached, CurrencyDiffers, ReferenceTaken
from tests.support.books import METRO, MOVE, NOW, SPEND, TILL, TOP_UP, open_books, post

WALLETS = st.sampled_from(["ann", "bob", "cai"])
MOVES = st.lists(
    st.tuples(WALLETS, WALLETS, st.integers(1, 10_000)).filter(lambda move: move[0] != move[1]),
    max_size=8,
)


def test_a_journal_stands_in_the_book_as_it_was_posted(database: Database) -> None:
    with database.transaction() as session:
        open_books(session)
        posted = post(session, MOVE, "one", 500, giver="ann", taker="bob")
        found = queries.journal(session, book_id=METRO, journal_id=posted.journal_id)
    assert posted.is_new
    assert not found.is_new
    assert found.postings == posted.postings
    assert found.business_date == date(2026, 11, 23)
    assert (found.template, found.template_version) == ("tests.move", 1)
    assert found.content_hash == posted.content_hash


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(moves=MOVES)
def test_balances_are_what_was_moved_and_debits_equal_credits(
    database: Database, moves: list[tuple[str, str, int]]
) -> None:
    """Seen to fail when the insert swaps sources and destinations."""
    expected: Counter[str] = Counter()
    with database.transaction() as session, session.begin_nested() as rolled_back:
        open_books(session)
        for number, (giver, taker, amount) in enumerate(moves):
            post(session, MOVE, f"move-{number}", amount, giver=giver, taker=taker)
            expected[giver] += amount
            expected[taker] -= amount
        trial = queries.trial_balance(session, book_id=METRO)
        for wallet in ("ann", "bob", "cai"):
            balance = queries.balance(
                session, book_id=METRO, account=f"liabilities:wallet:{wallet}"
            )
            assert balance.balance_minor == expected[wallet]
        rolled_back.rollback()
    assert trial.balanced
    assert sum(row.debits_minor for row in trial.rows) == sum(move[2] for move in moves)


def test_a_reference_names_one_journal_for_ever(database: Database) -> None:
    """Seen to fail when the content hash leaves the amount out."""
    with database.transaction() as session:
        open_books(session)
        first = post(session, MOVE, "one", 500, giver="ann", taker="bob")
        again = post(
            session, MOVE, "one", 500, giver="ann", taker="bob", now=NOW + timedelta(days=1)
        )
        assert again.journal_id == first.journal_id
        assert not again.is_new
        for amount, giver in ((501, "ann"), (500, "cai")):
            with pytest.raises(ReferenceTaken):
                post(session, MOVE, "one", amount, giver=giver, taker="bob")
        assert len(queries.journals(session, book_id=METRO)) == 1


def test_what_cannot_be_posted_says_why(database: Database) -> None:
    with database.transaction() as session:
        open_books(session)
        with pytest.raises(queries.BookNotFound):
            post(session, MOVE, "one", 1, giver="a", taker="b", book_id=BookId("NOBOOK"))
        for reference in ("", "x" * 201, "地铁", "a\nb"):
            with pytest.raises(ReferenceInvalid):
                post(session, MOVE, reference, 1, giver="a", taker="b")
        with pytest.raises(MetadataTooLong):
            post(session, MOVE, "r", 1, giver="a", taker="b", metadata={"note": "x" * 5000})
        post(session, MOVE, "yuan", 1, giver="a", taker="b")
        with pytest.raises(CurrencyDiffers):
            post(session, MOVE, "dollars", 1, giver="a", taker="b", currency="USD")


def test_a_bound_holds_and_undoes_the_journal_it_refuses(database: Database) -> None:
    """Seen to fail without the table's minimum check (the spending was committed)."""
    with database.transaction() as session:
        open_books(session)
        post(session, TOP_UP, "top-up", 500, citizen="ann")
        post(session, SPEND, "ride", 300, citizen="ann")
        with pytest.raises(BoundReached), session.begin_nested():
            post(session, SPEND, "too far", 201, citizen="ann")
        with pytest.raises(BoundReached), session.begin_nested():
            post(session, TILL, "too full", 1001, till="one")
        post(session, SPEND, "last ride", 200, citizen="ann")
        assert len(queries.journals(session, book_id=METRO)) == 3
        balance = queries.balance(session, book_id=METRO, account="liabilities:tests-prepaid:ann")
    assert balance.balance_minor == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.postings SET amount_minor = 1",
        "DELETE FROM ledger.postings",
        "UPDATE ledger.journals SET reference = 'x'",
        "DELETE FROM ledger.journals",
        "TRUNCATE ledger.journals CASCADE",
        "DELETE FROM ledger.bounded_balances",
        "UPDATE ledger.accounts SET currency = 'USD'",
        "DELETE FROM ledger.accounts",
        "UPDATE events.facts SET name = 'x'",
        "DELETE FROM events.facts",
        "ALTER TABLE ledger.postings DISABLE TRIGGER ALL",
    ],
)
def test_the_runtime_role_can_change_nothing_that_was_posted(
    database: Database, statement: str
) -> None:
    """Seen to fail with a grant of UPDATE on ledger.postings."""
    with (
        pytest.raises(ProgrammingError) as refused,
        database.transaction() as session,
    ):
        session.execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
