"""Whatever is heard first, one history of the world ends in one state of the books."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from payments.orders.models import Attempt, Order
from payments.providers.interface import Scene
from payments.refunds import queries as refund_queries
from tests.support.paying import FARE, LIFE, City

Ways = Mapping[str, Callable[[], object]]


def ways_to_learn(city: City, order: Order, attempts: list[Attempt]) -> Ways:
    """Everything by which we may come to know, or do, something about the order."""
    notices = [
        (city.account(attempt), *city.account(attempt).notice(attempt.number))
        for attempt in attempts
    ]

    def hear(number: int) -> None:
        city.receive(*notices[number])
        city.apply()

    return {
        "notice of the first": lambda: hear(0),
        "notice of the second": lambda: hear(1),
        "questions": city.settle,
        "expiry": city.close_expired,
        "a look": lambda: city.look(order),
    }


def ending(city: City, order: Order, attempts: list[Attempt]) -> dict[str, Any]:
    """What the order came to, without saying which of two equal payments was first."""
    with city.database.transaction() as session:
        returns = refund_queries.returns_of_order(session, order=order)
    return {
        "order": city.order(order).state,
        "attempts": sorted(city.attempt(attempt).state for attempt in attempts),
        "surplus": sorted(city.attempt(attempt).surplus or "" for attempt in attempts),
        "returned": sorted((one.amount_minor, one.state) for one in returns),
        "facts": sorted(fact.name for fact in city.facts(order.id)),
        "cases": len(city.cases()),
    }


PAID_FROM_THE_START = {"nobody": (), "the first": (0,), "the second": (1,), "both": (0, 1)}


@pytest.mark.parametrize("who", PAID_FROM_THE_START)
def test_the_order_in_which_we_learn_makes_no_difference(city: City, who: str) -> None:
    """Seen to fail when a close that was refused was taken for a close."""
    endings = set()
    sequences = list(permutations(range(5)))[:: 5 if who == "both" else 10]
    for sequence in sequences:
        order = city.place()
        attempts = [
            city.start(order, scene=Scene.CUSTOMER_SCANS),
            city.start(order, provider=city.wechat, key="key-2"),
        ]
        for number in PAID_FROM_THE_START[who]:
            assert city.pay(attempts[number])
        city.clock.advance(LIFE)
        ways = list(ways_to_learn(city, order, attempts).values())
        for number in sequence:
            ways[number]()
        city.run_for(timedelta(minutes=1), step=timedelta(seconds=30))
        endings.add(repr(ending(city, order, attempts)))
        assert len(endings) == 1, (sequence, endings)
    paid = len(PAID_FROM_THE_START[who])
    (only,) = endings
    assert ("'order': 'paid'" in only) == (paid > 0)
    assert ("(400, 'succeeded')" in only) == (paid > 1)
    assert city.alipay.holds() + city.wechat.holds() == FARE * len(sequences) * (paid > 0)
    assert "HZMTRO/liabilities:suspense:transit" not in city.balances()
