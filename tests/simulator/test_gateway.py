"""The gateway checks as strictly as the real one."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from simulator.clock import wire_time
from tests.simulator.merchant import Merchant


def test_a_trade_goes_from_created_to_paid_to_refunded(merchant: Merchant) -> None:
    assert merchant.create()["code"] == "10000"
    query = {"out_trade_no": "HZMTRO0001"}
    assert merchant.call("alipay.trade.query", query)["trade_status"] == "WAIT_BUYER_PAY"

    merchant.control("trades/HZMTRO0001/pay")
    paid = merchant.call("alipay.trade.query", query)
    assert (paid["trade_status"], paid["total_amount"]) == ("TRADE_SUCCESS", "3.00")

    back = {**query, "refund_amount": "1.00", "out_request_no": "R1"}
    assert merchant.call("alipay.trade.refund", back)["fund_change"] == "Y"
    again = merchant.call("alipay.trade.refund", back)
    assert (again["fund_change"], again["refund_fee"]) == ("N", "1.00")
    other = merchant.call("alipay.trade.refund", {**back, "refund_amount": "2.00"})
    assert other["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    more = {**back, "out_request_no": "R2", "refund_amount": "2.01"}
    assert (
        merchant.call("alipay.trade.refund", more)["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    )
    rest = merchant.call("alipay.trade.refund", {**more, "refund_amount": "2.00"})
    assert (rest["fund_change"], rest["refund_fee"]) == ("Y", "3.00")
    assert merchant.call("alipay.trade.query", query)["trade_status"] == "TRADE_CLOSED"
    asked = {**query, "out_request_no": "R2"}
    assert merchant.call("alipay.trade.fastpay.refund.query", asked)["refund_amount"] == "2.00"
    assert "refund_status" not in merchant.call(
        "alipay.trade.fastpay.refund.query", {**query, "out_request_no": "R9"}
    )
    assert sum(entry.amount_minor for entry in merchant.world.alipay.trades.ledger) == 0


def test_a_wrong_signature_is_told_the_string_that_was_computed(merchant: Merchant) -> None:
    parameters = merchant.parameters("alipay.trade.query", {"out_trade_no": "HZMTRO0001"})
    refused = merchant.send({**parameters, "version": "1.1"})
    assert (refused["code"], refused["sub_code"]) == ("40002", "isv.invalid-signature")
    assert "sign_type=RSA2&timestamp=2026-11-23 10:00:00&version=1.1" in str(refused["sub_msg"])


def test_unknown_parameters_are_accepted_but_signed_for(merchant: Merchant) -> None:
    content = {"out_trade_no": "HZMTRO0001"}
    extra = merchant.call("alipay.trade.query", content, alipay_sdk="alipay-sdk-nodejs-4.14.0")
    assert extra["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    smuggled = {**merchant.parameters("alipay.trade.query", content), "alipay_sdk": "x"}
    assert merchant.send(smuggled)["sub_code"] == "isv.invalid-signature"


def test_query_and_body_are_one(merchant: Merchant) -> None:
    parameters = merchant.parameters("alipay.trade.query", {"out_trade_no": "HZMTRO0001"})
    content = parameters.pop("biz_content")
    split = merchant.browser.post(
        f"/alipay/gateway.do?{urlencode(parameters)}", data={"biz_content": content}
    )
    everything = urlencode({**parameters, "biz_content": content})
    fetched = merchant.browser.get(f"/alipay/gateway.do?{everything}")
    assert b"ACQ.TRADE_NOT_EXIST" in split.data
    assert split.data == fetched.data


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"sign": ""}, "isv.missing-signature"),
        ({"app_id": ""}, "isv.missing-app-id"),
        ({"app_id": "2021000000000009"}, "isv.invalid-app-id"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"charset": "latin-9"}, "isv.invalid-charset"),
    ],
)
def test_wrong_common_parameters_are_refused(
    merchant: Merchant, changed: dict[str, str], sub_code: str
) -> None:
    parameters = merchant.parameters("alipay.trade.query", {"out_trade_no": "HZMTRO0001"})
    assert merchant.send({**parameters, **changed})["sub_code"] == sub_code


def test_a_timestamp_outside_the_window_is_refused(merchant: Merchant) -> None:
    content = {"out_trade_no": "HZMTRO0001"}
    stale = wire_time(merchant.clock.now() - timedelta(hours=25))
    refused = merchant.call("alipay.trade.query", content, timestamp=stale)
    assert refused["sub_code"] == "isv.invalid-timestamp"


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"total_amount": "0.00"}, "ACQ.INVALID_PARAMETER"),
        ({"total_amount": 3}, "ACQ.CONTEXT_INCONSISTENT"),
        ({"total_amount": "1e3"}, "ACQ.INVALID_PARAMETER"),
        ({"subject": "a/b"}, "ACQ.INVALID_PARAMETER"),
        ({"out_trade_no": "with-dash"}, "ACQ.INVALID_PARAMETER"),
        ({"time_expire": "2026-11-23 09:59:59"}, "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR"),
        ({"timeout_express": "16d"}, "ACQ.INVALID_PARAMETER"),
    ],
)
def test_wrong_business_parameters_are_refused(
    merchant: Merchant, changed: dict[str, object], sub_code: str
) -> None:
    merchant.create(total="4.00")
    content = {"out_trade_no": "HZMTRO0001", "total_amount": "4.00", "subject": "地铁票"}
    refused = merchant.call("alipay.trade.precreate", {**content, **changed})
    assert refused["sub_code"] == sub_code


def test_a_precreated_trade_exists_once_its_code_is_opened(merchant: Merchant) -> None:
    content = {"out_trade_no": "HZMTRO0002", "total_amount": "4.00", "subject": "停车费"}
    code = str(merchant.call("alipay.trade.precreate", content)["qr_code"])
    asked = {"out_trade_no": "HZMTRO0002"}
    assert merchant.call("alipay.trade.query", asked)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    page = merchant.browser.get(code)
    assert "¥4.00" in page.text
    assert merchant.call("alipay.trade.query", asked)["trade_status"] == "WAIT_BUYER_PAY"
    assert "已付款" in merchant.browser.post(code, follow_redirects=True).text
    assert merchant.call("alipay.trade.query", asked)["trade_status"] == "TRADE_SUCCESS"


def test_a_trade_runs_out_of_time_and_says_so(merchant: Merchant) -> None:
    merchant.create()
    merchant.clock.advance(timedelta(minutes=15))
    merchant.world.courier.deliver_due()
    assert b"trade_status=TRADE_CLOSED" in merchant.letterbox.received[0]
    assert b"gmt_close=2026-11-23+10%3A15%3A00" in merchant.letterbox.received[0]
    refused = merchant.call("alipay.trade.close", {"out_trade_no": "HZMTRO0001"})
    assert refused["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


def test_a_payment_in_flight_overtakes_the_closing(merchant: Merchant) -> None:
    merchant.create()
    merchant.call("alipay.trade.close", {"out_trade_no": "HZMTRO0001"})
    refused = merchant.browser.post("/control/alipay/trades/HZMTRO0001/pay", json={})
    assert refused.status_code == 409
    merchant.control("trades/HZMTRO0001/pay", in_flight=True)
    asked = {"out_trade_no": "HZMTRO0001"}
    assert merchant.call("alipay.trade.query", asked)["trade_status"] == "TRADE_SUCCESS"
    again = merchant.browser.post("/control/alipay/trades/HZMTRO0001/pay", json={"in_flight": True})
    assert again.status_code == 409
