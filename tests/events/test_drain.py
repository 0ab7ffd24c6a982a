from collections import Counter
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import text

from payments.events import flows, operations, queries, rules
from payments.events.listeners import HandlersByFact, combine
from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from tests.support.lamps import BOOK, MOMENT, LampLit, Listener

LONG = timedelta(days=1)


def record(database: Database, *lamps: str) -> None:
    with database.transaction() as session:
        for lamp in lamps:
            operations.record(session, LampLit(book_id=BOOK, lamp_id=lamp), now=MOMENT)


def handlers(*listeners: Listener) -> HandlersByFact:
    return combine({"lamp.lit": [listener.handler() for listener in listeners]})


def rows_written(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(text("SELECT name FROM ledger.books ORDER BY name")))


def test_every_handler_hears_a_fact_once(database: Database, clock: FixedClock) -> None:
    one, two = Listener("tests.one"), Listener("tests.two")
    two.heard = [""] * 100  # So that the rows of the two do not collide.
    record(database, "a", "b")
    assert flows.drain(database, handlers=handlers(one, two), clock=clock) == 2
    assert flows.drain(database, handlers=handlers(one, two), clock=clock) == 0
    assert one.heard == two.heard[100:] == ["a", "b"]
    assert rows_written(database) == [
        "tests.one/a",
        "tests.one/b",
        "tests.two/a",
        "tests.two/b",
    ]


def test_a_fact_of_a_transaction_that_rolls_back_is_never_told(
    fresh_database: Database, clock: FixedClock
) -> None:
    def record_and_fail() -> None:
        with fresh_database.transaction() as session:
            operations.record(session, LampLit(book_id=BOOK, lamp_id="a"), now=MOMENT)
            raise KeyError("a")

    with pytest.raises(KeyError):
        record_and_fail()
    assert flows.drain(fresh_database, handlers={}, clock=clock) == 0


def test_who_fails_is_undone_alone_and_told_again(database: Database, clock: FixedClock) -> None:
    """Seen to fail without the savepoint (the broken handler's row stayed)."""
    one, two = Listener("tests.one"), Listener("tests.two")
    two.broken, two.heard = {"a"}, [""] * 100
    record(database, "a", "b")
    told = handlers(one, two)
    assert flows.drain(database, handlers=told, clock=clock) == 2
    assert "tests.two/a" not in rows_written(database)
    assert flows.drain(database, handlers=told, clock=clock) == 0
    with database.read() as session:
        assert queries.backlog(session).failing == 1
    two.broken = set()
    clock.advance(rules.RETRY_AFTER[0])
    assert flows.drain(database, handlers=told, clock=clock) == 1
    assert one.heard == ["a", "b"]
    assert two.heard[100:] == ["b", "a"]


def test_what_keeps_failing_is_parked_in_sight_and_can_be_replayed(
    database: Database, clock: FixedClock
) -> None:
    one = Listener("tests.one")
    one.broken = {"a"}
    record(database, "a")
    rounds = 0
    while flows.drain(database, handlers=handlers(one), clock=clock):
        clock.advance(LONG)
        rounds += 1
    with database.read() as session:
        (parked,) = queries.parked(session)
    assert rounds == len(rules.RETRY_AFTER) + 1
    assert (parked.name, parked.subject, parked.tries) == ("lamp.lit", "a", rounds)
    assert "tests.one: conflict (the lamp is broken)" in parked.reason
    one.broken = set()
    for _ in range(2):  # Replayed while parked, and again when it was heard.
        with database.transaction() as session:
            operations.replay(session, book_id=BOOK, fact_id=parked.fact_id, now=clock.now())
        assert flows.drain(database, handlers=handlers(one), clock=clock) == 1
    assert one.heard == ["a", "a"]
    with database.read() as session:
        assert queries.backlog(session).parked == 0


def test_facts_about_one_thing_are_told_in_order(database: Database, clock: FixedClock) -> None:
    """Seen to fail when `claim` does not look for an earlier fact of the subject."""
    one = Listener("tests.one")
    with database.transaction() as session:
        for day in (1, 2, 3):
            fact = LampLit(book_id=BOOK, lamp_id="a", wattages=(day,))
            operations.record(session, fact, now=MOMENT)
    assert [flows.drain(database, handlers=handlers(one), clock=clock) for _ in range(4)] == [
        *(1, 1, 1),
        0,
    ]
    with database.read() as session:
        facts = queries.facts_about(session, book_id=BOOK, subject="a")
    assert [fact.wattages for fact in facts if isinstance(fact, LampLit)] == [(1,), (2,), (3,)]


def test_many_drains_share_the_work(fresh_database: Database, clock: FixedClock) -> None:
    """Seen to fail without FOR UPDATE SKIP LOCKED (facts were told twice)."""
    lamps = [f"lamp-{number}" for number in range(200)]
    record(fresh_database, *lamps)
    listeners = [Listener(f"tests.{number}") for number in range(4)]
    for number, listener in enumerate(listeners):
        listener.heard = [""] * 1000 * number
        listener.name = "tests.one"

    def work(listener: Listener) -> None:
        while flows.drain(fresh_database, handlers=handlers(listener), clock=clock, limit=10):
            pass

    threads = [Thread(target=work, args=[listener]) for listener in listeners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = Counter(lamp for listener in listeners for lamp in listener.heard if lamp)
    assert heard == Counter(lamps)
