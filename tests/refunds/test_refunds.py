"""Refunds: never more than was paid, one number on every try, and every outcome in the books."""

from datetime import timedelta

import pytest

from payments.kernel.errors import Invalid
from payments.kernel.states import TransitionRefused
from payments.orders.operations import RefundExceeds
from payments.refunds import operations, queries
from payments.refunds.facts import RefundFailed, RefundSucceeded, SurplusReturned
from payments.refunds.models import Refund
from payments.refunds.operations import RefundDiffers, SameApprover
from tests.support.paying import FARE, City
from tests.support.providers import Crash, Fault


def current(city: City, refund: Refund) -> Refund:
    with city.database.transaction() as session:
        return queries.refund(session, refund_id=refund.id)


def test_a_refund_reserves_is_sent_and_reverses_the_books(city: City) -> None:
    order, attempt = city.paid_order()
    refund = city.refund(order, 150)
    assert (refund.state, city.order(order).refunding_minor) == ("approved", 150)
    city.run()
    done = city.order(order)
    assert (done.state, done.refunding_minor, done.refunded_minor) == ("paid", 0, 150)
    assert city.alipay.trades[attempt.number].refunds == {refund.number: 150}
    assert city.balances() == {
        "HZMTRO/assets:due-from:QTPLAT": FARE - 150,
        "HZMTRO/liabilities:customer-advances:transit": FARE - 150,
        "QTPLAT/assets:provider:alipay:main": FARE - 150,
        "QTPLAT/liabilities:due-to:HZMTRO": FARE - 150,
    }
    (fact,) = city.facts(refund.id)
    assert isinstance(fact, RefundSucceeded)
    assert (fact.reference, fact.amount_minor) == ("r-1", 150)


def test_partial_refunds_add_up_to_what_was_paid_and_no_further(city: City) -> None:
    order, _ = city.paid_order()
    for number, amount in enumerate((150, 150, 100)):
        city.refund(order, amount, f"r-{number}")
        city.run()
    with pytest.raises(RefundExceeds):
        city.refund(order, 1, "one fen more")
    assert city.balances() == {}


def test_what_is_reserved_cannot_be_refunded_twice(city: City) -> None:
    """Seen to fail when the reservation did not count refunds under way."""
    order, _ = city.paid_order()
    city.refund(order, 300)
    with pytest.raises(RefundExceeds):
        city.refund(order, 101, "r-2")


def test_the_same_reference_is_the_same_refund(city: City) -> None:
    order, _ = city.paid_order()
    first = city.refund(order, 150)
    city.run()
    assert city.refund(order, 150).id == first.id
    with pytest.raises(RefundDiffers):
        city.refund(order, 151)
    assert city.order(order).refunded_minor == 150


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_moves_money(city: City, amount: int) -> None:
    order, _ = city.paid_order()
    with pytest.raises(Invalid):
        city.refund(order, amount)


def test_an_order_that_is_not_paid_cannot_be_refunded(city: City) -> None:
    with pytest.raises(RefundExceeds):
        city.refund(city.place(), 1)


def test_a_refused_refund_releases_its_money_and_is_seen(city: City) -> None:
    order, _ = city.paid_order()
    refund = city.refund(order, FARE)
    city.alipay.faults.append(Fault.REFUSED)
    city.run()
    assert current(city, refund).state == "failed"
    assert city.order(order).refunding_minor == 0
    assert isinstance(city.facts(refund.id)[0], RefundFailed)
    assert [case.kind for case in city.cases()] == ["refund-failed"]
    city.refund(order, FARE, "r-2")
    city.run()
    assert city.order(order).refunded_minor == FARE
    assert city.balances() == {}


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER])
def test_a_silent_refund_is_asked_about_and_sent_again_under_its_number(
    city: City, fault: Fault
) -> None:
    """Seen to fail when a refund whose answer was lost was sent again under a new number."""
    order, attempt = city.paid_order()
    refund = city.refund(order, 150)
    city.alipay.faults.append(fault)
    city.send_refunds()
    assert current(city, refund).state == "unknown"
    assert city.order(order).refunding_minor == 150
    city.run_for(timedelta(minutes=1), step=timedelta(seconds=15))
    assert current(city, refund).state == "succeeded"
    assert city.alipay.trades[attempt.number].refunds == {refund.number: 150}
    assert city.alipay.count("refund") == (2 if fault is Fault.LOST_REQUEST else 1)


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_a_process_that_dies_while_refunding_refunds_once(city: City, fault: Fault) -> None:
    """Seen to fail when the refund was marked as sent only with its answer."""
    order, attempt = city.paid_order()
    refund = city.refund(order, 150)
    city.alipay.faults.append(fault)
    with pytest.raises(Crash):
        city.send_refunds()
    assert city.order(order).refunding_minor == 150
    city.run_for(timedelta(minutes=2))
    assert city.alipay.trades[attempt.number].refunds == {refund.number: 150}
    assert city.order(order).refunded_minor == 150
    sent = [number for method, number in city.alipay.calls if method == "refund"]
    assert set(sent) == {refund.number}
    assert city.alipay.count("query") == 1, "whoever does not know asks before sending again"


def test_a_notice_of_a_refund_settles_it_once(city: City) -> None:
    order, attempt = city.paid_order()
    refund = city.refund(order, 150)
    city.alipay.faults.append(Fault.LOST_ANSWER)
    city.send_refunds()
    for _ in range(2):
        city.receive(city.alipay, *city.alipay.notice(attempt.number, refund.number))
    city.run_for(timedelta(minutes=1), step=timedelta(seconds=15))
    assert city.order(order).refunded_minor == 150
    assert len(city.facts(refund.id)) == 1


def test_a_refund_believed_failed_is_corrected_to_match_the_provider(city: City) -> None:
    order, attempt = city.paid_order()
    refund = city.refund(order, 150)
    city.alipay.faults.append(Fault.REFUSED)
    city.run()
    city.alipay.trades[attempt.number].refunds[refund.number] = 150
    city.receive(city.alipay, *city.alipay.notice(attempt.number, refund.number))
    city.run()
    assert current(city, refund).state == "succeeded"
    assert city.order(order).refunded_minor == 150


def test_a_correction_that_would_exceed_what_was_paid_opens_a_case(city: City) -> None:
    order, attempt = city.paid_order()
    failed = city.refund(order, FARE)
    city.alipay.faults.append(Fault.REFUSED)
    city.run()
    city.refund(order, FARE, "r-2")
    trade = city.alipay.trades[attempt.number]
    trade.refunds[failed.number] = FARE
    headers, body = city.alipay.notice(attempt.number, failed.number)
    del trade.refunds[failed.number]
    city.receive(city.alipay, headers, body)
    city.run()
    assert current(city, failed).state == "failed"
    assert {case.kind for case in city.cases()} == {"refund-failed", "refund-exceeds"}
    assert city.order(order).refunded_minor == FARE


def test_somebody_else_approves_what_a_person_asked_for(city: City) -> None:
    order, _ = city.paid_order()
    with city.database.transaction() as session:
        refund = operations.request(
            session,
            order_id=order.id,
            amount_minor=150,
            reason="投诉",
            reference="r-1",
            requested_by="stf_1",
            now=city.clock.now(),
        )
    city.run()
    assert (current(city, refund).state, city.order(order).refunding_minor) == ("requested", 150)
    with pytest.raises(SameApprover), city.database.transaction() as session:
        operations.approve(session, refund_id=refund.id, approver="stf_1", now=city.clock.now())
    with city.database.transaction() as session:
        operations.approve(session, refund_id=refund.id, approver="stf_2", now=city.clock.now())
    city.run()
    assert city.order(order).refunded_minor == 150
    with pytest.raises(TransitionRefused), city.database.transaction() as session:
        operations.refuse(session, refund_id=refund.id, answer="too late")


def test_a_refused_request_gives_its_money_back_to_the_order(city: City) -> None:
    order, _ = city.paid_order()
    with city.database.transaction() as session:
        refund = operations.request(
            session,
            order_id=order.id,
            amount_minor=FARE,
            reason="投诉",
            reference="r-1",
            requested_by="stf_1",
            now=city.clock.now(),
        )
        operations.refuse(session, refund_id=refund.id, answer="无效投诉")
    assert city.order(order).refunding_minor == 0
    city.refund(order, FARE, "r-2")


def test_a_surplus_is_returned_once_and_is_no_refund_of_the_order(city: City) -> None:
    order = city.place()
    attempts = [
        city.start(order),
        city.start(order, provider=city.wechat, key="key-2"),
    ]
    for attempt in attempts:
        city.pay(attempt)
        city.notify(attempt)
    city.run()
    with city.database.transaction() as session:
        assert not queries.refunds_of_order(session, order=order)
        (returned,) = queries.returns_of_order(session, order=order)
    assert isinstance(city.facts(returned.id)[0], SurplusReturned)
    assert city.order(order).refunded_minor == 0
    with pytest.raises(RefundDiffers), city.database.transaction() as session:
        operations.return_surplus(
            session,
            order_id=order.id,
            attempt_id=attempts[1].id,
            reference="again",
            reason="again",
            now=city.clock.now(),
        )
