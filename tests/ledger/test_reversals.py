import pytest
from sqlalchemy.orm import Session

from payments.kernel.database import Database
from payments.ledger import operations, queries
from payments.ledger.journals import Journal
from payments.ledger.operations import AlreadyReversed, BoundReached, ReversalNotReversible
from tests.support.books import METRO, MOVE, NOW, SPEND, TOP_UP, open_books, post


def reverse(session: Session, journal: Journal, reference: str) -> Journal:
    return operations.reverse(
        session,
        book_id=METRO,
        journal_id=journal.journal_id,
        reference=reference,
        effective_at=NOW,
        now=NOW,
    )


def test_a_reversal_names_what_it_undoes_and_undoes_it_once(database: Database) -> None:
    """Seen to fail without the look for an earlier reversal (the unique index refused instead)."""
    with database.transaction() as session:
        open_books(session)
        wrong = post(session, MOVE, "wrong", 500, giver="ann", taker="bob")
        undone = reverse(session, wrong, "undo")
        assert reverse(session, wrong, "undo").journal_id == undone.journal_id
        assert undone.reverses_journal_id == wrong.journal_id
        with pytest.raises(AlreadyReversed):
            reverse(session, wrong, "undo twice")
        with pytest.raises(ReversalNotReversible):
            reverse(session, undone, "redo")
        trial = queries.trial_balance(session, book_id=METRO)
    assert {row.balance_minor for row in trial.rows} == {0}


def test_a_reversal_respects_bounds(database: Database) -> None:
    with database.transaction() as session:
        open_books(session)
        top_up = post(session, TOP_UP, "top-up", 500, citizen="ann")
        post(session, SPEND, "ride", 1, citizen="ann")
        with pytest.raises(BoundReached), session.begin_nested():
            reverse(session, top_up, "undo")
