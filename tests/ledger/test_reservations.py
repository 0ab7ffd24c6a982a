from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.states import TransitionRefused
from payments.ledger import flows, operations, queries
from payments.ledger.operations import (
    BoundReached,
    ReferenceTaken,
    ReservationExceeded,
    ReservationExpired,
)
from payments.ledger.reservations import Reservation
from payments.ledger.rules import ReservationState
from payments.ledger.templates import TemplateNotFilled
from tests.support.books import METRO, NOW, SPEND, TOP_UP, open_books, post

ANN = "liabilities:tests-prepaid:ann"
HOUR = timedelta(hours=1)


def reserve(session: Session, reference: str, amount: int, *, citizen: str = "ann") -> Reservation:
    return operations.reserve(
        session,
        book_id=METRO,
        template=SPEND,
        amounts={"amount": amount},
        parameters={"citizen": citizen},
        reference=reference,
        expires_at=NOW + HOUR,
        effective_at=NOW,
        now=NOW,
    )


def balance(session: Session) -> int:
    return queries.balance(session, book_id=METRO, account=ANN).balance_minor


def test_what_is_reserved_is_out_of_reach_until_it_is_voided(database: Database) -> None:
    """Seen to fail when reserving leaves `leaving_minor` alone."""
    with database.transaction() as session:
        open_books(session)
        post(session, TOP_UP, "top-up", 500, citizen="ann")
        hold = reserve(session, "ride", 400)
        assert balance(session) == 500
        with pytest.raises(BoundReached), session.begin_nested():
            post(session, SPEND, "other ride", 101, citizen="ann")
        with pytest.raises(BoundReached), session.begin_nested():
            reserve(session, "other hold", 101)
        post(session, SPEND, "small ride", 100, citizen="ann")
        for _ in range(2):
            operations.void(session, book_id=METRO, reservation_id=hold.reservation_id, now=NOW)
        post(session, SPEND, "big ride", 400, citizen="ann")
        assert balance(session) == 0
        with pytest.raises(TransitionRefused):
            operations.post_reserved(
                session, book_id=METRO, reservation_id=hold.reservation_id, now=NOW
            )


@pytest.mark.parametrize("part", [None, {"amount": 250}])
def test_a_reservation_is_posted_once_wholly_or_in_part(
    database: Database, part: dict[str, int] | None
) -> None:
    """Seen to fail when posting does not free the part that was not posted."""
    with database.transaction() as session:
        open_books(session)
        post(session, TOP_UP, "top-up", 500, citizen="ann")
        hold = reserve(session, "ride", 400)
        journals = [
            operations.post_reserved(
                session,
                book_id=METRO,
                reservation_id=hold.reservation_id,
                now=NOW + timedelta(minutes=5),
                amounts=part,
            )
            for _ in range(2)
        ]
        assert journals[0].journal_id == journals[1].journal_id
        rest = 500 - (part or {"amount": 400})["amount"]
        assert balance(session) == rest
        post(session, SPEND, "the rest", rest, citizen="ann")
        found = queries.reservation(session, book_id=METRO, reservation_id=hold.reservation_id)
        assert (found.state, found.journal_id) == (
            ReservationState.POSTED,
            journals[0].journal_id,
        )
        with pytest.raises(ReferenceTaken):
            operations.post_reserved(
                session,
                book_id=METRO,
                reservation_id=hold.reservation_id,
                now=NOW,
                amounts={"amount": 1},
            )


def test_no_more_than_was_reserved_can_be_posted(database: Database) -> None:
    with database.transaction() as session:
        open_books(session)
        post(session, TOP_UP, "top-up", 500, citizen="ann")
        hold = reserve(session, "ride", 400)
        for amounts, error in (
            ({"amount": 401}, ReservationExceeded),
            ({"amount": -1}, ReservationExceeded),
            ({"amount": 0}, TemplateNotFilled),
            ({"tip": 1}, TemplateNotFilled),
        ):
            with pytest.raises(error):
                operations.post_reserved(
                    session,
                    book_id=METRO,
                    reservation_id=hold.reservation_id,
                    now=NOW,
                    amounts=amounts,
                )


def test_the_same_reference_is_the_same_reservation(database: Database) -> None:
    with database.transaction() as session:
        open_books(session)
        post(session, TOP_UP, "top-up", 500, citizen="ann")
        first, again = reserve(session, "ride", 400), reserve(session, "ride", 400)
        assert first == again
        with pytest.raises(ReferenceTaken):
            reserve(session, "ride", 399)


def test_time_frees_what_nobody_posted(database: Database, clock: FixedClock) -> None:
    """Seen to fail when the sweep sets the state and frees nothing."""
    with database.transaction() as session:
        open_books(session)
        post(session, TOP_UP, "top-up", 500, citizen="ann")
        hold = reserve(session, "ride", 500)
    assert flows.expire_reservations(database, clock=clock) == 0
    clock.advance(HOUR)
    with database.transaction() as session, pytest.raises(ReservationExpired):
        operations.post_reserved(
            session, book_id=METRO, reservation_id=hold.reservation_id, now=clock.now()
        )
    assert flows.expire_reservations(database, clock=clock) == 1
    assert flows.expire_reservations(database, clock=clock) == 0
    with database.transaction() as session:
        post(session, SPEND, "ride after all", 500, citizen="ann")
        with pytest.raises(TransitionRefused):
            operations.void(
                session, book_id=METRO, reservation_id=hold.reservation_id, now=clock.now()
            )
