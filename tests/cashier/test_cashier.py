"""Citizens pay, look, cancel and get receipts, over HTTP."""

from datetime import timedelta

import pytest

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.orders.models import Order
from payments.orders.rules import LOOK_INTERVAL
from tests.support.front_end import FrontEnd, app_of
from tests.support.paying import FARE, LIFE, City

ORDERS = "/v1/cashier/orders"
ALIPAY = {"provider": "alipay", "payer": "2088000000000001"}


@pytest.fixture
def city(database: Database, clock: FixedClock) -> City:
    return City(database, clock)


@pytest.fixture
def phone(city: City) -> FrontEnd:
    return FrontEnd(app_of(city).test_client())


def pay(phone: FrontEnd, city: City, order: Order) -> str:
    """Begin to pay and pay; the notice is lost."""
    begun = phone.post(f"{ORDERS}/{order.id}/payments", ALIPAY)
    assert begun.status_code == 201, begun.text
    [number] = city.alipay.trades
    assert city.alipay.pay(number, now=city.clock.now())
    return str(begun.get_json()["id"])


def test_a_payment_whose_notice_is_lost_is_seen_by_looking(phone: FrontEnd, city: City) -> None:
    order = city.place()
    payment_id = pay(phone, city, order)
    city.clock.advance(LOOK_INTERVAL)
    shown = phone.get(f"{ORDERS}/{order.id}").get_json()
    assert (shown["state"], shown["amount_minor"]) == ("paid", FARE)
    receipt = phone.get(f"{ORDERS}/{order.id}/receipt").get_json()
    assert receipt["payment"]["id"] == payment_id
    assert receipt["order"]["paid_at"] == shown["paid_at"]
    assert receipt["provider_number"]


def test_the_same_key_begins_one_payment(phone: FrontEnd, city: City) -> None:
    order = city.place()
    first = phone.post(f"{ORDERS}/{order.id}/payments", ALIPAY, key="pay-once-please")
    again = phone.post(f"{ORDERS}/{order.id}/payments", ALIPAY, key="pay-once-please")
    assert first.data == again.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(city.alipay.trades) == 1


def test_what_is_not_mine_is_not_found(phone: FrontEnd, city: City) -> None:
    order = city.place(citizen_id="cit_2")
    for answer in (
        phone.get(f"{ORDERS}/{order.id}"),
        phone.get(f"{ORDERS}/{order.id}/receipt"),
        phone.get(f"{ORDERS}/{order.id}/refunds"),
        phone.post(f"{ORDERS}/{order.id}/payments", ALIPAY),
        phone.post(f"{ORDERS}/{order.id}/cancel"),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (404, "order-not-found")
    assert phone.get(ORDERS).get_json()["items"] == []
    assert not city.alipay.trades


@pytest.mark.parametrize("order_id", ["ord_1", "../secrets", "ord_HZMTRO" + "0" * 26, "%00", "单"])
def test_what_never_was_an_order_is_not_found(phone: FrontEnd, order_id: str) -> None:
    assert phone.get(f"{ORDERS}/{order_id}").status_code in {400, 404}


def test_a_cancelled_order_is_closed_at_the_provider_and_cannot_be_paid(
    phone: FrontEnd, city: City
) -> None:
    order = city.place()
    phone.post(f"{ORDERS}/{order.id}/payments", ALIPAY)
    cancelled = phone.post(f"{ORDERS}/{order.id}/cancel").get_json()
    assert (cancelled["state"], cancelled["close_reason"]) == ("closed", "cancelled")
    [trade] = city.alipay.trades.values()
    assert trade.closed
    refused = phone.post(f"{ORDERS}/{order.id}/payments", ALIPAY)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "order-not-payable")


def test_a_late_payment_comes_back_and_the_citizen_sees_it(phone: FrontEnd, city: City) -> None:
    order = city.place()
    begun = phone.post(f"{ORDERS}/{order.id}/payments", ALIPAY).get_json()
    [number] = city.alipay.trades
    city.clock.advance(LIFE)
    city.run()
    assert phone.get(f"{ORDERS}/{order.id}").get_json()["state"] == "closed"
    city.alipay.trades[number].paid_at = city.clock.now()  # The money arrives all the same.
    headers, body = city.alipay.notice(number)
    city.receive(city.alipay, headers, body)
    city.run()
    shown = phone.get(f"{ORDERS}/{begun['order_id']}/refunds").get_json()
    assert shown["refunds"] == []
    assert [(one["state"], one["amount_minor"]) for one in shown["returns"]] == [
        ("succeeded", FARE)
    ]


def test_orders_come_in_pages_newest_first(phone: FrontEnd, city: City) -> None:
    placed = []
    for _ in range(3):
        placed.append(city.place().id)
        city.clock.advance(timedelta(seconds=1))
    first = phone.get(ORDERS, query_string={"limit": 2}).get_json()
    rest = phone.get(ORDERS, query_string={"limit": 2, "cursor": first["next_cursor"]}).get_json()
    assert [one["id"] for one in first["items"] + rest["items"]] == placed[::-1]
    assert rest["next_cursor"] is None


def test_input_that_does_not_fit_is_refused_with_the_field_named(
    phone: FrontEnd, city: City
) -> None:
    order = city.place()
    answer = phone.post(f"{ORDERS}/{order.id}/payments", {"provider": "cash", "amount_minor": 1})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert not city.alipay.trades
