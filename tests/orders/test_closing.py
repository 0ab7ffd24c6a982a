"""Closing: at the providers first, and whatever is found paid is paid."""

from datetime import datetime, timedelta

import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.orders.facts import OrderClosed
from payments.orders.models import Order
from payments.orders.operations import OrderNotPayable, OrderPaidAlready
from payments.orders.rules import START_GRACE, CloseReason
from payments.providers.interface import PaymentInstruction, Scene, Started
from tests.support.paying import FARE, LIFE, City
from tests.support.providers import Crash, FakeProvider, Fault


def test_an_order_past_its_time_is_closed_at_the_provider_first(city: City) -> None:
    order = city.place()
    attempt = city.start(order)
    city.run_for(LIFE)
    assert city.alipay.trades[attempt.number].closed
    assert city.attempt(attempt).state == "cancelled"
    assert (city.order(order).state, city.order(order).close_reason) == ("closed", "expired")
    (fact,) = city.facts(order.id)
    assert isinstance(fact, OrderClosed)
    assert fact.reason is CloseReason.EXPIRED


def test_an_order_nobody_tried_to_pay_is_closed_when_its_time_is_over(city: City) -> None:
    order = city.place()
    city.run_for(LIFE - timedelta(minutes=1))
    assert city.order(order).state == "open"
    city.run_for(timedelta(minutes=1))
    assert city.order(order).state == "closed"


def test_a_close_that_finds_it_paid_pays_the_order(city: City) -> None:
    """Seen to fail when a close that was refused was taken for a close."""
    order = city.place()
    attempt = city.start(order)
    city.clock.advance(LIFE - timedelta(seconds=1))
    city.pay(attempt)
    city.clock.advance(timedelta(seconds=1))
    city.close_expired()
    assert city.order(order).state == "paid"
    assert city.alipay.count("close") == 1


def test_a_citizen_cancels_an_open_order(city: City) -> None:
    order = city.place()
    attempt = city.start(order)
    assert city.cancel(order).state == "closed"
    assert city.order(order).close_reason == "cancelled"
    assert not city.pay(attempt)
    assert city.cancel(order).state == "closed"
    assert len(city.facts(order.id)) == 1


def test_a_paid_order_cannot_be_cancelled_also_when_we_only_find_out_now(city: City) -> None:
    order = city.place()
    city.pay(city.start(order))
    with pytest.raises(OrderPaidAlready):
        city.cancel(order)
    assert city.order(order).state == "paid"
    with pytest.raises(OrderPaidAlready):
        city.cancel(order)


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER])
def test_while_the_provider_is_silent_the_order_stays_open_but_takes_no_attempt(
    city: City, fault: Fault
) -> None:
    """Seen to fail when an order was closed without waiting for its attempts."""
    order = city.place()
    city.start(order)
    city.alipay.faults.extend([fault, Fault.LOST_ANSWER])
    pending = city.cancel(order)
    assert (pending.state, pending.closing_since) == ("open", city.clock.now())
    with pytest.raises(OrderNotPayable):
        city.start(order, key="key-2")
    city.run_for(timedelta(minutes=2))
    assert city.order(order).state == "closed"


def test_a_start_that_is_still_on_its_way_holds_the_close_up(city: City) -> None:
    order = city.place()
    city.alipay.faults.append(Fault.CRASH_BEFORE)
    with pytest.raises(Crash):
        city.start(order)
    assert city.cancel(order).state == "open"
    city.clock.advance(START_GRACE)
    city.run()
    assert city.order(order).state == "closed"


class Overtaken(FakeProvider):
    """A provider that a start reaches late: its citizen has cancelled meanwhile."""

    city: City
    order: Order

    def start(self, instruction: PaymentInstruction, *, now: datetime) -> Started:
        self.city.clock.advance(START_GRACE)
        assert self.city.cancel(self.order).state == "closed"
        return super().start(instruction, now=now)


def test_a_start_that_arrives_after_the_close_can_be_paid_by_nobody(
    database: Database, clock: FixedClock
) -> None:
    """Neither the late start nor its repetition hands out what could still be paid.

    Seen to fail when the trade was left open at the provider, where nobody asks about it any more,
    and when the repetition answered what to pay it with.
    """
    alipay = Overtaken()
    city = alipay.city = City(database, clock, alipay=alipay)
    order = alipay.order = city.place()
    for _ in range(2):
        with pytest.raises(OrderNotPayable):
            city.start(order)
    (trade,) = alipay.trades.values()
    assert trade.closed
    assert city.balances() == {}


def test_a_payment_after_the_close_goes_to_suspense_and_back(city: City) -> None:
    """Seen to fail when a payment of a closed order was posted as paid."""
    order = city.place()
    attempt = city.start(order, scene=Scene.CUSTOMER_SCANS)
    assert city.cancel(order).state == "closed"
    assert city.pay(attempt)
    city.notify(attempt)
    city.apply()
    assert city.attempt(attempt).surplus == "late"
    assert city.balances()["HZMTRO/liabilities:suspense:transit"] == FARE
    city.run()
    assert city.order(order).state == "closed"
    assert city.balances() == {}
    assert city.alipay.trades[attempt.number].refunds


def test_a_crash_while_closing_is_made_up_for(city: City) -> None:
    order = city.place()
    city.start(order)
    city.alipay.faults.append(Fault.CRASH_AFTER)
    with pytest.raises(Crash):
        city.cancel(order)
    city.run_for(timedelta(minutes=2))
    assert (city.order(order).state, city.order(order).close_reason) == ("closed", "cancelled")
