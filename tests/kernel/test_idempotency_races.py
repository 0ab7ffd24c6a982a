"""Real connections, real commits: what a client's impatience does to a key."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.kernel.database import Database
from payments.kernel.idempotency import Answer, Claim, ClaimLost, RequestStillRunning
from tests.conftest import MONDAY_MORNING
from tests.kernel.test_idempotency import CREATED, LEASE, claim, store, taken


def wait_for_a_waiter(database: Database) -> None:
    """Return once some connection waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with database.read() as session:
        for _ in range(100_000):
            if session.execute(waiting).scalar():
                return
    pytest.fail("nobody waited")


def duplicate(database: Database) -> Claim | Answer:
    with database.transaction() as session:
        return claim(session)


def race(database: Database, end: Callable[[Session, Claim], None]) -> Future[Claim | Answer]:
    """Let a duplicate wait for a first request that ends as told."""
    with ThreadPoolExecutor() as threads:
        try:
            with database.transaction() as session:
                held = taken(claim(session))
                second = threads.submit(duplicate, database)
                wait_for_a_waiter(database)
                end(session, held)
        except ZeroDivisionError:
            pass
    return second


def test_a_concurrent_duplicate_waits_and_replays(fresh_database: Database) -> None:
    assert race(fresh_database, store).result() == CREATED


def test_a_concurrent_duplicate_takes_over_what_rolled_back(fresh_database: Database) -> None:
    def fail(session: Session, held: Claim) -> None:
        store(session, held)
        raise ZeroDivisionError

    assert isinstance(race(fresh_database, fail).result(), Claim)


def test_a_duplicate_that_waits_too_long_is_told_so(fresh_database: Database) -> None:
    """Seen to fail with the lock time-out no longer translated."""

    def impatient() -> None:
        with fresh_database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '20ms'"))
            claim(session)

    with fresh_database.transaction() as session:
        claim(session)
        with pytest.raises(RequestStillRunning):
            impatient()


def test_of_two_that_take_over_one_wins(fresh_database: Database) -> None:
    """Seen to fail with the fence left out of the condition to take over."""
    later = MONDAY_MORNING + LEASE
    with fresh_database.transaction() as session:
        claim(session, lease=LEASE)

    def take_over() -> Claim | Answer:
        with fresh_database.transaction() as session:
            return claim(session, lease=LEASE, now=later)

    with ThreadPoolExecutor() as threads:
        with fresh_database.transaction() as session:
            winner = taken(claim(session, lease=LEASE, now=later))
            loser = threads.submit(take_over)
            wait_for_a_waiter(fresh_database)
        with pytest.raises(RequestStillRunning):
            loser.result()
    with fresh_database.transaction() as session:
        store(session, winner)


def test_an_answer_that_comes_while_another_takes_over_is_lost_or_final(
    fresh_database: Database,
) -> None:
    with fresh_database.transaction() as session:
        first = taken(claim(session, lease=LEASE))

    def answer_late() -> None:
        with fresh_database.transaction() as session:
            store(session, first)

    with ThreadPoolExecutor() as threads:
        with fresh_database.transaction() as session:
            claim(session, lease=LEASE, now=MONDAY_MORNING + LEASE)
            late = threads.submit(answer_late)
            wait_for_a_waiter(fresh_database)
        with pytest.raises(ClaimLost):
            late.result()


def test_among_many_impatient_clients_each_effect_happens_once(fresh_database: Database) -> None:
    """Seen to fail with the claim committed apart from the effect."""
    effect = text("INSERT INTO jobs.procrastinate_workers DEFAULT VALUES RETURNING id")
    keys = [f"k{number}" for number in range(12)]

    def ask(key: str, seed: int) -> Answer | None:
        def operation(session: Session) -> Answer:
            found = claim(session, key)
            if isinstance(found, Answer):
                return found
            body = str(session.execute(effect).scalar_one()).encode()
            answer = Answer(status=201, content_type="text/plain", body=body)
            store(session, found, answer)
            if seed % 3 == 0:
                raise ZeroDivisionError
            return answer

        try:
            return fresh_database.run(operation)
        except ZeroDivisionError:
            return None

    requests = [(key, seed) for key in keys for seed in range(8)]
    random.Random(7).shuffle(requests)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda request: (request[0], ask(*request)), requests))
    for key in keys:
        assert len({answer.body for of, answer in answers if of == key and answer}) == 1
    with fresh_database.read() as session:
        assert session.execute(
            text("SELECT count(*) FROM jobs.procrastinate_workers")
        ).scalar() == len(keys)
