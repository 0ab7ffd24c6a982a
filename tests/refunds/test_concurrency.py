"""Refunds asked for at once, over real connections and commits."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.orders.operations import RefundExceeds
from tests.support.paying import FARE, City

CLIENTS = 8


def test_refunds_asked_for_at_once_never_exceed_what_was_paid(
    fresh_database: Database, clock: FixedClock
) -> None:
    """Seen to fail when the order was not locked and the amount left was read before the update."""
    city = City(database=fresh_database, clock=clock)
    order, attempt = city.paid_order()
    start = Barrier(CLIENTS)

    def ask(number: int) -> int:
        start.wait()
        try:
            return city.refund(order, 150, f"r-{number}").amount_minor
        except RefundExceeds:
            return 0

    with ThreadPoolExecutor(CLIENTS) as clients:
        granted = list(clients.map(ask, range(CLIENTS)))
    assert sum(granted) == 300
    city.run()
    assert city.order(order).refunded_minor == 300
    assert sum(city.alipay.trades[attempt.number].refunds.values()) == 300
    assert city.balances()["HZMTRO/assets:due-from:QTPLAT"] == FARE - 300


def test_the_same_reference_asked_for_at_once_is_one_refund(
    fresh_database: Database, clock: FixedClock
) -> None:
    city = City(database=fresh_database, clock=clock)
    order, _ = city.paid_order()
    start = Barrier(CLIENTS)

    def ask(_: int) -> str:
        start.wait()
        return city.refund(order, 150).id

    with ThreadPoolExecutor(CLIENTS) as clients:
        assert len(set(clients.map(ask, range(CLIENTS)))) == 1
    assert city.order(order).refunding_minor == 150


def test_sweeps_that_run_at_once_send_each_refund_once(
    fresh_database: Database, clock: FixedClock
) -> None:
    """Seen to fail when a claim did not move the due moment ahead."""
    city = City(database=fresh_database, clock=clock)
    orders = [city.paid_order()[0] for _ in range(6)]
    for order in orders:
        city.refund(order, FARE)
    start = Barrier(CLIENTS)

    def sweep(_: int) -> int:
        start.wait()
        return city.send_refunds()

    with ThreadPoolExecutor(CLIENTS) as workers:
        list(workers.map(sweep, range(CLIENTS)))
    city.run()
    assert (city.alipay.count("refund"), city.alipay.count("query")) == (len(orders), 0)
    assert city.balances() == {}


def test_one_order_paid_at_two_providers_at_once_is_paid_once(
    fresh_database: Database, clock: FixedClock
) -> None:
    city = City(database=fresh_database, clock=clock)
    order = city.place()
    attempts = [
        city.start(order),
        city.start(order, provider=city.wechat, key="key-2"),
    ]
    for attempt in attempts:
        city.pay(attempt)
    start = Barrier(CLIENTS)

    def hear(number: int) -> None:
        start.wait()
        city.notify(attempts[number % 2])
        city.apply()

    with ThreadPoolExecutor(CLIENTS) as workers:
        list(workers.map(hear, range(CLIENTS)))
    city.run()
    states = sorted(city.attempt(attempt).surplus or "" for attempt in attempts)
    assert states == ["", "second"]
    assert city.balances()["HZMTRO/liabilities:customer-advances:transit"] == FARE
    assert "HZMTRO/liabilities:suspense:transit" not in city.balances()
