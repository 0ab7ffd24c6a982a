"""Paying an order: every outcome, and what stands in the books after it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from payments.kernel.errors import NotFound
from payments.orders.facts import OrderPaid, SurplusReceived
from payments.orders.operations import OrderNotPayable, TooManyAttempts, apply_report
from payments.orders.rules import ATTEMPTS_PER_ORDER, START_GRACE, Effect
from payments.providers.interface import Scene, SceneNotSupported
from tests.support.paying import FARE, City
from tests.support.providers import Crash, Fault

PAID = {
    "HZMTRO/assets:due-from:QTPLAT": FARE,
    "HZMTRO/liabilities:customer-advances:transit": FARE,
    "QTPLAT/assets:provider:alipay:main": FARE,
    "QTPLAT/liabilities:due-to:HZMTRO": FARE,
}


def test_a_notice_of_success_pays_the_order_in_both_books(city: City) -> None:
    order = city.place()
    attempt = city.start(order)
    assert (attempt.state, attempt.client) == ("pending", {"trade_no": f"T{attempt.number}"})
    assert city.pay(attempt)
    city.notify(attempt)
    city.run()
    paid = city.order(order)
    assert (paid.state, paid.paid_attempt_id) == ("paid", attempt.id)
    assert city.balances() == PAID
    (fact,) = city.facts(order.id)
    assert isinstance(fact, OrderPaid)
    assert (fact.service_reference, fact.amount_minor) == (order.service_reference, FARE)


def test_a_lost_notice_is_made_up_for_by_a_question(city: City) -> None:
    order = city.place()
    attempt = city.start(order)
    city.pay(attempt)
    city.run_for(timedelta(minutes=1), step=timedelta(seconds=5))
    assert city.order(order).state == "paid"
    assert city.balances() == PAID


def test_a_reader_makes_us_ask_but_not_often(city: City) -> None:
    """Seen to fail when the claim of a reader did not look at when the last question was asked."""
    order = city.place()
    attempt = city.start(order)
    for _ in range(5):
        city.look(order)
    assert city.alipay.count("query") == 0, "the provider has only just been asked to start"
    city.clock.advance(timedelta(seconds=5))
    for _ in range(5):
        city.look(order)
    assert city.alipay.count("query") == 1
    city.pay(attempt)
    city.clock.advance(timedelta(seconds=5))
    assert city.look(order).state == "paid"


def test_what_is_not_theirs_is_not_found(city: City) -> None:
    order = city.place(citizen_id="cit_2")
    for act in (city.look, city.cancel, city.start):
        with pytest.raises(NotFound):
            act(order)


def test_a_refused_start_fails_the_attempt_and_another_may_follow(city: City) -> None:
    order = city.place()
    city.alipay.faults.append(Fault.REFUSED)
    assert city.start(order).state == "failed"
    second = city.start(order, key="key-2")
    city.pay(second)
    city.notify(second)
    city.run()
    assert city.order(order).paid_attempt_id == second.id


def test_a_lost_answer_is_unknown_and_the_same_key_starts_the_same_number_again(
    city: City,
) -> None:
    """Seen to fail when a lost answer was recorded as a failure."""
    order = city.place()
    city.alipay.faults.append(Fault.LOST_ANSWER)
    first = city.start(order)
    assert (first.state, first.client) == ("unknown", {})
    again = city.start(order)
    assert (again.id, again.number) == (first.id, first.number)
    assert (again.state, again.client["trade_no"]) == ("pending", f"T{first.number}")
    assert city.start(order).client == again.client
    assert city.alipay.count("start") == 2


def test_a_refusal_of_a_repeated_start_settles_nothing(city: City) -> None:
    """Seen to fail when a repeated start was believed like the first."""
    order = city.place()
    city.alipay.faults.extend([Fault.LOST_ANSWER, Fault.NONE, Fault.REFUSED])
    attempt = city.start(order)
    assert city.start(order).state == "pending"
    city.pay(attempt)
    city.notify(attempt)
    city.run()
    assert city.order(order).state == "paid"


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_process_that_dies_at_the_provider_leaves_an_attempt_that_is_asked_about(
    city: City, fault: Fault
) -> None:
    order = city.place()
    city.alipay.faults.append(fault)
    with pytest.raises(Crash):
        city.start(order)
    for number in city.alipay.trades:
        city.alipay.pay(number, now=city.clock.now())
    city.clock.advance(START_GRACE)
    city.run()
    happened = fault is Fault.CRASH_AFTER
    assert city.order(order).state == ("paid" if happened else "open")
    assert city.alipay.count("query") == 1
    city.run_for(timedelta(minutes=20))
    assert city.order(order).state == ("paid" if happened else "closed")
    assert city.balances() == (PAID if happened else {})


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_process_that_dies_while_asking_asks_again(city: City, fault: Fault) -> None:
    order = city.place()
    attempt = city.start(order)
    city.pay(attempt)
    city.clock.advance(timedelta(seconds=5))
    city.alipay.faults.append(fault)
    with pytest.raises(Crash):
        city.settle()
    city.run_for(timedelta(minutes=2))
    assert city.order(order).state == "paid"


def test_a_second_payment_goes_to_suspense_and_back(city: City) -> None:
    """Seen to fail when the order's update did not ask for an open order."""
    order = city.place()
    first, second = city.start(order), city.start(order, provider=city.wechat, key="key-2")
    for attempt in (first, second):
        assert city.pay(attempt)
        city.notify(attempt)
    city.apply()
    assert city.order(order).paid_attempt_id == first.id
    assert city.attempt(second).surplus == "second"
    assert city.balances()["HZMTRO/liabilities:suspense:transit"] == FARE
    assert {type(fact) for fact in city.facts(order.id)} == {OrderPaid, SurplusReceived}
    city.run()
    assert city.balances() == PAID
    assert sum(city.wechat.trades[second.number].refunds.values()) == FARE
    assert not city.alipay.trades[first.number].refunds


def test_a_paid_order_has_its_other_channels_closed(city: City) -> None:
    order = city.place()
    first, second = city.start(order), city.start(order, provider=city.wechat, key="key-2")
    city.pay(first)
    city.notify(first)
    city.run()
    assert city.wechat.trades[second.number].closed
    assert city.attempt(second).state == "cancelled"
    assert not city.pay(second)


def test_the_same_success_told_twice_changes_nothing(city: City) -> None:
    order, attempt = city.paid_order()
    with city.database.transaction() as session:
        applied = apply_report(
            session,
            provider=city.alipay,
            report=city.alipay.report(attempt.number),
            now=city.clock.now(),
        )
    assert applied.effect is Effect.NOTHING
    assert city.balances() == PAID
    assert len(city.facts(order.id)) == 1


def test_what_contradicts_a_success_changes_nothing(city: City) -> None:
    order, attempt = city.paid_order()
    for outcome in ("pending", "failed", "closed", "not_found", "unknown"):
        city.notify(attempt, outcome=outcome)
    city.run()
    assert city.attempt(attempt).state == "succeeded"
    assert city.order(order).state == "paid"


def test_no_attempt_starts_on_an_order_that_is_paid_or_past_its_time(city: City) -> None:
    order, _ = city.paid_order()
    with pytest.raises(OrderNotPayable):
        city.start(order, key="key-2")
    late = city.place()
    city.clock.advance(timedelta(minutes=15))
    with pytest.raises(OrderNotPayable):
        city.start(late)


def test_an_order_has_so_many_attempts_and_no_more(city: City) -> None:
    order = city.place()
    for number in range(ATTEMPTS_PER_ORDER):
        city.start(order, key=f"key-{number}")
    with pytest.raises(TooManyAttempts):
        city.start(order, key="one too many")


def test_a_scene_nobody_offers_is_refused_before_anything_is_written(city: City) -> None:
    order = city.place()
    city.alipay.capabilities = replace(
        city.alipay.capabilities, scenes=frozenset({Scene.CUSTOMER_SCANS})
    )
    with pytest.raises(SceneNotSupported):
        city.start(order)
    assert not city.alipay.calls


def test_an_account_that_is_gone_does_not_stop_the_sweep(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    order = city.place()
    city.start(city.place(), provider=city.wechat)
    attempt = city.start(order)
    city.pay(attempt)
    del city.providers._accounts["second"]
    city.clock.advance(timedelta(seconds=5))
    city.settle()
    assert city.order(order).state == "paid"
    assert "could not settle" in caplog.text


def test_an_account_that_is_gone_does_not_hide_the_order(city: City) -> None:
    order = city.place()
    city.start(order)
    city.providers._accounts.clear()
    city.clock.advance(timedelta(seconds=5))
    assert city.look(order).state == "open"


def test_a_scene_that_needs_a_payer_fails_the_attempt_without_one(city: City) -> None:
    order = city.place()
    city.alipay.faults.append(Fault.NO_PAYER)
    with pytest.raises(SceneNotSupported):
        city.start(order)
    assert city.start(order).state == "failed"
    assert city.alipay.count("start") == 1


def test_a_start_that_pays_at_once_is_believed_only_when_asked_about(city: City) -> None:
    order = city.place()
    city.alipay.faults.append(Fault.PAID_AT_ONCE)
    assert city.start(order).state == "succeeded"
    assert city.order(order).state == "paid"
    assert city.alipay.count("query") == 1
