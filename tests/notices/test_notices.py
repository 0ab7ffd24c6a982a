"""Notices: stored first, believed only when everything fits, applied once, and never lost."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from payments.notices import flows, operations, queries
from payments.notices.models import InboxNotice
from payments.notices.rules import BODY_BYTES, REJECTED_KEPT, UNVERIFIED_GRACE
from payments.orders.models import Order
from payments.providers.interface import Notice
from tests.support.paying import FARE, City
from tests.support.providers import FakeProvider


def inbox(city: City) -> list[InboxNotice]:
    with city.database.transaction() as session:
        return list(session.scalars(select(InboxNotice).order_by(InboxNotice.received_at)))


def paying(city: City) -> tuple[Order, str, Any]:
    order = city.place()
    attempt = city.start(order)
    city.pay(attempt)
    return order, attempt.number, attempt


def test_a_notice_is_stored_as_it_came_and_acknowledged(city: City) -> None:
    _, number, _ = paying(city)
    headers, body = city.alipay.notice(number)
    answer = city.receive(
        city.alipay, {**headers, "Cookie": "session=secret", "X-Long": "x" * 5_000}, body
    )
    assert answer is city.alipay.accepted
    (stored,) = inbox(city)
    assert (stored.body, stored.state) == (body, "received")
    assert stored.headers["Signature"] == headers["Signature"]
    assert "Cookie" not in stored.headers
    assert len(stored.headers["X-Long"]) == 1_024
    assert city.balances() == {}, "the answer does not wait for the books"


def test_a_notice_delivered_again_is_acknowledged_and_changes_nothing(city: City) -> None:
    """Seen to fail when a second delivery was stored and applied like a first."""
    order, number, _ = paying(city)
    headers, body = city.alipay.notice(number)
    for _ in range(3):
        assert city.receive(city.alipay, headers, body) is city.alipay.accepted
        city.run()
    (stored,) = inbox(city)
    assert (stored.state, stored.deliveries) == ("applied", 3)
    assert len(city.facts(order.id)) == 1


def test_the_same_success_under_another_id_has_no_second_effect(city: City) -> None:
    order, _, attempt = paying(city)
    for _ in range(3):
        city.notify(attempt)
        city.run()
        city.clock.advance(timedelta(seconds=1))
    assert [stored.reason for stored in inbox(city)] == ["paid", "nothing", "nothing"]
    assert len(city.facts(order.id)) == 1


def test_one_id_with_two_effects_is_two_notices(city: City) -> None:
    order = city.place()
    attempt = city.start(order)
    city.notify(attempt, id="n-1")
    city.pay(attempt)
    city.notify(attempt, id="n-1")
    city.run()
    assert city.order(order).state == "paid"


def test_a_tampered_byte_is_refused_and_seen(city: City) -> None:
    order, number, _ = paying(city)
    headers, body = city.alipay.notice(number)
    for position in range(0, len(body), 7):
        tampered = bytearray(body)
        tampered[position] ^= 1
        assert city.receive(city.alipay, headers, bytes(tampered)) is city.alipay.refused
    city.apply()
    assert city.order(order).state == "open"
    assert {stored.state for stored in inbox(city)} == {"rejected"}
    assert {stored.reason for stored in inbox(city)} == {"the signature does not fit"}


def test_the_key_is_chosen_by_the_route_and_not_by_the_body(city: City) -> None:
    order, number, _ = paying(city)
    headers, body = city.alipay.notice(number)
    assert city.receive(city.wechat, headers, body) is city.wechat.refused
    city.apply()
    assert city.order(order).state == "open"


WRONG: Mapping[str, Any] = {
    "amount": {"amount_minor": FARE + 1},
    "currency": {"currency": "USD"},
    "app": {"app_id": "app-of-somebody-else"},
    "seller": {"seller_id": "seller-of-somebody-else"},
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_right_signature_over_wrong_facts_changes_nothing_and_opens_a_case(
    city: City, kind: str
) -> None:
    """Seen to fail, for each of the four, when `differences` did not compare it."""
    order, _, attempt = paying(city)
    before = city.attempt(attempt)
    city.notify(attempt, **WRONG[kind])
    city.apply()
    after = city.attempt(attempt)
    assert city.order(order).state == "open"
    assert (after.state, after.next_query_at) == (before.state, before.next_query_at)
    assert city.balances() == {}
    (case,) = city.cases()
    assert (case.kind, case.subject) == (kind, attempt.number)
    (stored,) = inbox(city)
    assert (stored.state, stored.case_id, stored.reason) == ("parked", case.id, "mismatch")


def test_a_success_that_names_no_amount_is_not_believed(city: City) -> None:
    order, _, attempt = paying(city)
    city.notify(attempt, amount_minor=None)
    city.apply()
    assert city.order(order).state == "open"
    assert [case.kind for case in city.cases()] == ["amount"]


def test_another_account_of_ours_cannot_speak_for_this_one(city: City) -> None:
    """Seen to fail when the account that a report came through was not compared."""
    order, number, _ = paying(city)
    fields = {**json.loads(city.alipay.notice(number)[1]), "app_id": "app-2"}
    forged = city.wechat.signed({**fields, "seller_id": "seller-2"})
    assert city.receive(city.wechat, *forged) is city.wechat.accepted
    city.apply()
    assert city.order(order).state == "open"
    assert [case.kind for case in city.cases()] == ["account"]


def test_the_same_misfit_seen_again_is_the_same_case(city: City) -> None:
    _, _, attempt = paying(city)
    for _ in range(3):
        city.notify(attempt, amount_minor=1)
    city.apply()
    (case,) = city.cases()
    assert case.sightings == 3


@pytest.mark.parametrize("number", ["HZMTRO01J000000000000000000000000"[:32], "short", "", "票"])
def test_a_number_we_never_gave_out_is_parked_with_a_case(city: City, number: str) -> None:
    _, _, attempt = paying(city)
    city.notify(attempt, number=number)
    city.apply()
    (stored,) = inbox(city)
    assert stored.state == "parked"
    assert [case.kind for case in city.cases()] == ["unknown-number"]


def test_a_refund_nobody_asked_for_is_parked_with_a_case(city: City) -> None:
    order, attempt = city.paid_order()
    city.notify(attempt, refund_number="HZMTRO01J00000000000000000000000")
    city.apply()
    assert city.order(order).refunded_minor == 0
    assert [case.kind for case in city.cases()] == ["unknown-refund"]


def test_an_answer_about_another_payment_changes_nothing(city: City) -> None:
    """Seen to fail when the number of an answer was not compared with the one asked about."""
    one, two = city.place(), city.place()
    asked, other = city.start(one), city.start(two)
    city.pay(other)
    city.alipay.says = {"number": other.number, "outcome": "succeeded"}
    city.clock.advance(timedelta(seconds=5))
    city.look(one)
    assert city.order(one).state == "open"
    assert city.order(two).state == "open"
    assert [(case.kind, case.subject) for case in city.cases()] == [("number", asked.number)]


def test_a_notice_about_no_payment_is_kept_and_has_no_effect(city: City) -> None:
    city.receive(city.alipay, *city.alipay.signed({"id": "n-1"}))
    city.apply()
    (stored,) = inbox(city)
    assert (stored.state, stored.reason) == ("applied", "not about a payment")


def test_a_body_that_is_too_long_is_refused_and_not_kept(city: City) -> None:
    assert city.receive(city.alipay, {}, b"x" * (BODY_BYTES + 1)) is city.alipay.refused
    assert not inbox(city)


class Bewildered(FakeProvider):
    """An adapter with a bug."""

    def read_notice(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Notice:
        raise KeyError(headers, body, now)


def test_an_adapter_that_stumbles_parks_the_notice(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    answer = city.receive(Bewildered(), {}, b"\x00\xff")
    assert answer.body == b"failure"
    (stored,) = inbox(city)
    assert (stored.state, stored.reason) == ("parked", "unreadable: KeyError")
    assert "cannot read notice" in caplog.text


def test_one_notice_that_cannot_be_applied_leaves_no_trace_and_holds_up_no_other(
    city: City,
) -> None:
    """Seen to fail when the notices of a batch had no savepoint of their own."""
    orders = [city.place(), city.place(service="no account can bear this"), city.place()]
    attempts = [city.start(order) for order in orders]
    for attempt in attempts:
        city.pay(attempt)
        city.notify(attempt)
    assert city.apply() == 3
    states = [city.attempt(attempt).state for attempt in attempts]
    assert states == ["succeeded", "pending", "succeeded"]
    assert [city.order(order).state for order in orders] == ["paid", "open", "paid"]


def test_a_failure_waits_longer_each_time_and_ends_with_a_person(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    order = city.place()
    attempt = city.start(order, provider=city.wechat)
    city.pay(attempt)
    city.notify(attempt)
    gone = city.providers._accounts.pop("second")
    for _ in range(7):
        assert city.apply() == 1
        assert city.apply() == 0
        city.clock.advance(timedelta(hours=6))
    (stored,) = inbox(city)
    assert (stored.state, stored.reason) == ("parked", "AccountUnknown")
    city.providers._accounts["second"] = gone
    replayed = flows.replay(
        city.database, inbox_id=stored.id, providers=city.providers, clock=city.clock
    )
    assert (replayed.state, replayed.reason) == ("applied", "paid")
    assert city.order(order).state == "paid"
    assert "could not apply notice" in caplog.text


def test_a_rejected_notice_is_verified_anew_when_replayed(city: City) -> None:
    order, _, attempt = paying(city)
    right, city.alipay.key = city.alipay.key, b"not yet rotated"
    headers, body = city.alipay.notice(attempt.number)
    city.alipay.key = right
    assert city.receive(city.alipay, headers, body) is city.alipay.refused
    city.alipay.key = b"not yet rotated"
    (stored,) = inbox(city)
    flows.replay(city.database, inbox_id=stored.id, providers=city.providers, clock=city.clock)
    assert city.order(order).state == "paid"


def test_replaying_what_was_applied_has_no_second_effect(city: City) -> None:
    order, _ = city.paid_order()
    before = city.balances()
    (stored,) = inbox(city)
    flows.replay(city.database, inbox_id=stored.id, providers=city.providers, clock=city.clock)
    (again,) = inbox(city)
    assert (again.state, again.reason) == ("applied", "nothing")
    assert city.balances() == before
    assert len(city.facts(order.id)) == 1


def test_a_notice_stored_by_a_process_that_died_is_verified_by_the_worker(city: City) -> None:
    order, number, _ = paying(city)
    headers, body = city.alipay.notice(number)
    with city.database.transaction() as session:
        operations.store(
            session, provider=city.alipay, headers=headers, body=body, now=city.clock.now()
        )
    assert city.apply() == 0
    city.clock.advance(UNVERIFIED_GRACE)
    assert city.apply() == 1
    assert city.order(order).state == "paid"


def test_rejected_notices_are_kept_for_a_while_and_others_for_good(city: City) -> None:
    city.paid_order()
    city.receive(city.alipay, {}, b"garbage")
    assert flows.drop_rejected(city.database, clock=city.clock) == 0
    city.clock.advance(REJECTED_KEPT)
    assert flows.drop_rejected(city.database, clock=city.clock) == 1
    with city.database.transaction() as session:
        assert queries.counts(session) == {
            "received": 0,
            "applied": 1,
            "rejected": 0,
            "parked": 0,
        }
