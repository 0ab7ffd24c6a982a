"""Providers call us; so does everybody else who finds the address."""

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.notices.rules import BODY_BYTES
from tests.support.front_end import app_of
from tests.support.paying import City

ADDRESS = "/callbacks/alipay/main"


@pytest.fixture
def city(database: Database, clock: FixedClock) -> City:
    return City(database, clock)


@pytest.fixture
def client(city: City) -> FlaskClient:
    return app_of(city).test_client()


def test_a_notice_is_answered_in_the_providers_words_and_applied(
    client: FlaskClient, city: City
) -> None:
    order = city.place()
    attempt = city.start(order)
    assert city.pay(attempt)
    headers, body = city.alipay.notice(attempt.number)
    answer = client.post(ADDRESS, data=body, headers=dict(headers))
    accepted = city.alipay.accepted
    assert (answer.status_code, answer.data) == (accepted.status, accepted.body)
    assert city.order(order).state == "open", "the callback stores; the worker applies"
    city.run()
    assert city.order(order).state == "paid"


def test_the_address_chooses_the_key(client: FlaskClient, city: City) -> None:
    """Seen to fail when the account was looked up by the app id in the message."""
    attempt = city.start(city.place())
    assert city.pay(attempt)
    headers, body = city.alipay.notice(attempt.number)
    answer = client.post("/callbacks/wechatpay/second", data=body, headers=dict(headers))
    assert answer.data == city.wechat.refused.body
    city.run()
    assert city.attempt(attempt).state == "pending"


@pytest.mark.parametrize(
    "address", ["/callbacks/alipay/nobody", "/callbacks/wechatpay/main", "/callbacks/x/main"]
)
def test_an_address_we_never_gave_out_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.post(address, data=b"x").status_code == 404


def test_a_body_no_notice_has_is_refused(client: FlaskClient, city: City) -> None:
    answer = client.post(ADDRESS, data=b"a" * (BODY_BYTES + 1))
    assert answer.data == city.alipay.refused.body


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=400), content_type=st.sampled_from(["", "text/xml", "a/b;c=\x00"]))
def test_rubbish_is_refused_and_changes_nothing(
    client: FlaskClient, city: City, body: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.post(ADDRESS, data=body, headers=headers)
    assert answer.status_code < 500
    assert answer.data == city.alipay.refused.body
