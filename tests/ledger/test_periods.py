from datetime import date, timedelta
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.signing_keys import SigningKeys
from payments.ledger import flows, merkle, operations, queries
from payments.ledger.canonical import journal_line
from payments.ledger.entries import Entry
from payments.ledger.operations import DayNotOver, NotClosed
from payments.ledger.queries import NotSealedYet
from payments.ledger.seals import CHUNK_SIZE, FIRST, PeriodState
from tests.support.books import METRO, MOVE, NOW, open_books, post

SUNDAY, MONDAY, TUESDAY = (date(2026, 11, day) for day in (22, 23, 24))
DAY = timedelta(days=1)
KEYS = SigningKeys({"k1": bytes(range(32))}, current="k1")


def start(database: Database, *, journals: int = 3) -> None:
    with database.transaction() as session:
        open_books(session)
        operations.post_many(
            session,
            book_id=METRO,
            entries=[
                Entry(
                    template=MOVE,
                    amounts={"amount": number + 1},
                    parameters={"giver": "a", "taker": "b"},
                    reference=f"r{number}",
                    effective_at=NOW,
                )
                for number in range(journals)
            ],
            now=NOW,
        )


def close(database: Database, until: date, clock: FixedClock) -> int:
    return flows.close_days(database, until=until, keys=KEYS, clock=clock)


def test_a_day_is_open_then_closing_then_sealed(database: Database, clock: FixedClock) -> None:
    start(database)
    with pytest.raises(DayNotOver):
        close(database, MONDAY, clock)
    clock.advance(DAY)
    with database.transaction() as session:
        operations.close_days(session, until=MONDAY, now=clock.now())

    def state(day: date) -> PeriodState:
        with database.read() as session:
            return queries.period_state(session, book_id=METRO, business_date=day)

    assert (state(MONDAY), state(TUESDAY)) == (PeriodState.CLOSING, PeriodState.OPEN)
    with database.transaction() as session, pytest.raises(NotClosed):
        operations.seal_day(
            session, book_id=METRO, business_date=MONDAY, keys=KEYS, now=clock.now()
        )
    assert close(database, MONDAY, clock) == 4  # Two books, Sunday and Monday.
    assert close(database, MONDAY, clock) == 0
    assert state(MONDAY) is PeriodState.SEALED


def test_seals_are_signed_and_chained(database: Database, clock: FixedClock) -> None:
    """Seen to fail when the root is over the postings' order in the table, not the ids'."""
    start(database)
    clock.advance(DAY)
    close(database, MONDAY, clock)
    with database.read() as session:
        sunday, monday = queries.seals(session, book_id=METRO)
        leaves = [
            merkle.leaf_hash(journal_line(journal).encode())
            for journal in queries.journals(session, book_id=METRO)
        ]
    assert (sunday.previous, monday.previous) == (FIRST, sunday.digest)
    assert (sunday.root, monday.root) == (merkle.EMPTY_ROOT, merkle.root(leaves))
    assert (monday.journals, monday.postings) == (3, 3)
    assert '"moved_minor":{"CNY":6}' in monday.document
    assert monday.states
    assert KEYS.verifies(monday.document.encode(), monday.signature, key_id="k1")


def test_keys_rotate_with_overlap(database: Database, clock: FixedClock) -> None:
    start(database)
    clock.advance(DAY)
    close(database, MONDAY, clock)
    both = SigningKeys({"k1": bytes(range(32)), "k2": bytes(32)}, current="k2")
    clock.advance(DAY)
    flows.close_days(database, until=TUESDAY, keys=both, clock=clock)
    with database.read() as session:
        seals = queries.seals(session, book_id=METRO)
    assert [seal.key_id for seal in seals] == ["k1", "k1", "k2"]
    assert all(
        both.verifies(seal.document.encode(), seal.signature, key_id=seal.key_id) for seal in seals
    )
    assert not KEYS.verifies(seals[2].document.encode(), seals[2].signature, key_id="k2")


def test_what_comes_late_goes_to_the_next_open_day(database: Database, clock: FixedClock) -> None:
    """Seen to fail when the insert takes the business date as it is given."""
    start(database)
    clock.advance(DAY)
    close(database, MONDAY, clock)
    with database.transaction() as session:
        single = post(session, MOVE, "late", 1, giver="a", taker="b", now=NOW)
        entry = Entry(
            template=MOVE,
            amounts={"amount": 1},
            parameters={"giver": "a", "taker": "b"},
            reference="late too",
            effective_at=NOW,
        )
        operations.post_many(session, book_id=METRO, entries=[entry], now=NOW)
        bulk = queries.journal_of_reference(session, book_id=METRO, reference="late too")
    for journal in (single, bulk):
        assert (journal.business_date, journal.late_for) == (TUESDAY, MONDAY)


def test_the_worker_closes_yesterday_half_an_hour_after_midnight(
    database: Database, clock: FixedClock
) -> None:
    start(database)
    assert flows.close_due_days(database, keys=KEYS, clock=clock) == 2  # Sunday.
    clock.advance(timedelta(hours=14, minutes=29))
    assert flows.close_due_days(database, keys=KEYS, clock=clock) == 0
    clock.advance(timedelta(minutes=1))
    assert flows.close_due_days(database, keys=KEYS, clock=clock) == 2
    assert flows.close_due_days(database, keys=KEYS, clock=clock) == 0


def test_nothing_slips_into_a_day_while_it_is_closed(
    fresh_database: Database, clock: FixedClock
) -> None:
    start(fresh_database)
    clock.advance(DAY)
    done = Event()

    def poster(name: str) -> None:
        number = 0
        while not done.is_set():
            with fresh_database.transaction() as session:
                post(session, MOVE, f"{name}-{number}", 1, giver="a", taker="b", now=NOW)
            number += 1

    threads = [Thread(target=poster, args=[f"p{number}"]) for number in range(6)]
    for thread in threads:
        thread.start()
    while True:
        try:
            close(fresh_database, MONDAY, clock)
            break
        except OperationalError:
            continue
    done.set()
    for thread in threads:
        thread.join()
    with fresh_database.read() as session:
        seal = queries.seal(session, book_id=METRO, business_date=MONDAY)
        journals = list(queries.journals_of_day(session, book_id=METRO, business_date=MONDAY))
    assert seal is not None
    assert len(journals) == seal.journals
    assert (
        merkle.root([merkle.leaf_hash(journal_line(journal).encode()) for journal in journals])
        == seal.root
    )


def test_closing_waits_for_who_has_posted_and_then_gives_up(
    fresh_database: Database, clock: FixedClock
) -> None:
    """Seen to fail when the insert does not pass the gate (the day closed under the poster)."""
    start(fresh_database)
    clock.advance(DAY)
    with fresh_database.transaction() as slow:
        for number in range(12):  # Enough for psycopg to prepare, and PostgreSQL to keep a plan.
            post(slow, MOVE, f"slow-{number}", 1, giver="a", taker="b")
        with pytest.raises(OperationalError) as refused:
            close(fresh_database, MONDAY, clock)
        assert isinstance(refused.value.orig, psycopg.errors.LockNotAvailable)
    assert close(fresh_database, MONDAY, clock) == 4


@pytest.mark.parametrize("size", [1, CHUNK_SIZE + 700])
def test_a_journal_is_proven_to_be_in_its_day(
    database: Database, clock: FixedClock, size: int
) -> None:
    """Seen to fail when the proof counts from the beginning of its chunk."""
    start(database, journals=size)
    with database.read() as session:
        journals = queries.journals(session, book_id=METRO, limit=size)
        with pytest.raises(NotSealedYet):
            queries.inclusion_proof(session, book_id=METRO, journal_id=journals[0].journal_id)
    clock.advance(DAY)
    close(database, MONDAY, clock)
    for index in {0, size // 2, size - 1}:
        with database.read() as session:
            proof = queries.inclusion_proof(
                session, book_id=METRO, journal_id=journals[index].journal_id
            )
        assert proof.holds
        assert proof.index == index
        forged = proof.journal.replace('"amount_minor":', '"amount_minor":9')
        assert not type(proof)(**{**vars(proof), "journal": forged}).holds
