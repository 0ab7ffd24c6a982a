"""What happens at the same moment, on connections of its own each: exactly one wins."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

from payments.kernel.errors import QiantangError
from services.transit.models import Ticket
from tests.transit.riding import TransitCity

ROUNDS = 8


def at_once(*acts: Callable[[], Ticket | int]) -> list[str]:
    """Run every act at the same moment and return what became of each."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Ticket | int]) -> str:
        barrier.wait()
        try:
            done = act()
        except QiantangError as error:
            return error.code
        return done.state if isinstance(done, Ticket) else str(done)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_six_kiosks_one_collects(real_city: TransitCity) -> None:
    """Invariant 9; seen to fail when the ticket was read first and then updated by its id."""
    for _ in range(ROUNDS):
        ticket = real_city.paid_ticket()
        outcomes = Counter(at_once(*[partial(real_city.collect, ticket)] * 6))
        assert outcomes == {"collected": 1, "transit-ticket-not-collectable": 5}
    assert real_city.balances()["HZMTRO/income:fares"] == 400 * ROUNDS


def test_of_a_collection_and_a_refund_one_wins(real_city: TransitCity) -> None:
    """Seen to fail when the refund neither locked the ticket nor looked at its state again."""
    won: Counter[str] = Counter()
    for _ in range(ROUNDS):
        ticket = real_city.paid_ticket()
        outcomes = at_once(partial(real_city.collect, ticket), partial(real_city.give_back, ticket))
        assert sorted(outcomes) in (
            ["collected", "transit-ticket-not-refundable"],
            ["refunding", "transit-ticket-not-collectable"],
        )
        won[min(outcomes)] += 1
    real_city.run_for(timedelta(minutes=2))
    balances = real_city.balances()
    assert balances.get("HZMTRO/income:fares", 0) == 400 * won["collected"]
    assert "HZMTRO/liabilities:customer-advances:transit" not in balances


def test_a_refund_asked_for_twice_is_one(real_city: TransitCity) -> None:
    """Invariant 5."""
    ticket = real_city.paid_ticket()
    outcomes = Counter(at_once(*[partial(real_city.give_back, ticket)] * 4))
    assert outcomes == {"refunding": 1, "transit-ticket-not-refundable": 3}
    real_city.run_for(timedelta(minutes=2))
    assert real_city.balances() == {}


def test_two_sweeps_return_each_ticket_once(real_city: TransitCity) -> None:
    tickets = [real_city.paid_ticket() for _ in range(6)]
    real_city.clock.advance(timedelta(days=2))
    counts = at_once(*[real_city.return_uncollected] * 3)
    assert sum(map(int, counts)) == len(tickets)
    real_city.run_for(timedelta(minutes=2))
    assert {real_city.ticket(ticket).state for ticket in tickets} == {"refunded"}
    assert real_city.balances() == {}
