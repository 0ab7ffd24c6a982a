"""Notices leave on the published schedule, and go wrong when asked to."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pytest_httpserver import HTTPServer

from simulator.clock import ManualClock, SimulatorClock, wire_time
from simulator.courier import Courier, post
from tests.simulator.merchant import MORNING, Merchant

SCHEDULE_MINUTES = (4, 10, 10, 60, 120, 360, 900)


def paid(merchant: Merchant, number: str = "HZMTRO0001") -> None:
    merchant.create(number)
    merchant.control(f"trades/{number}/pay")


def received(merchant: Merchant) -> list[dict[str, str]]:
    merchant.world.courier.deliver_due()
    bodies, merchant.letterbox.received = merchant.letterbox.received, []
    return [
        {name: values[0] for name, values in parse_qs(body.decode()).items()} for body in bodies
    ]


def deliveries(merchant: Merchant) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = merchant.browser.get("/control/alipay/deliveries").json or []
    return listed


def test_a_notice_is_sent_eight_times_in_the_published_gaps(merchant: Merchant) -> None:
    merchant.letterbox.answer = b"fail"
    paid(merchant)
    assert len(received(merchant)) == 1
    for minutes in SCHEDULE_MINUTES:
        merchant.clock.advance(timedelta(minutes=minutes, seconds=-1))
        assert received(merchant) == []
        merchant.clock.advance(timedelta(seconds=1))
        assert len(received(merchant)) == 1
    merchant.clock.advance(timedelta(days=30))
    assert received(merchant) == []
    log = deliveries(merchant)
    assert [line["send"] for line in log] == list(range(1, 9))
    assert len({line["notify_id"] for line in log}) == 1
    assert log[-1]["next_at"] is None


@pytest.mark.parametrize("answer", [b"SUCCESS", b"success\n", b'"success"', b"", b"failure"])
def test_only_exactly_success_stops_redelivery(merchant: Merchant, answer: bytes) -> None:
    merchant.letterbox.answer = answer
    paid(merchant)
    received(merchant)
    assert len(merchant.world.courier.waiting()) == 1
    merchant.letterbox.answer = b"success"
    merchant.clock.advance(timedelta(minutes=4))
    assert len(received(merchant)) == 1
    assert merchant.world.courier.waiting() == []
    assert [line["accepted"] for line in deliveries(merchant)] == [False, True]


def test_the_scale_divides_the_gaps_and_nothing_else(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("86400")
    clock = SimulatorClock(offset, scale=60)
    assert clock.gap(timedelta(minutes=4)) == timedelta(seconds=4)
    assert clock.now() - SimulatorClock().now() > timedelta(hours=23)
    with pytest.raises(ValueError, match="at least 1"):
        SimulatorClock(scale=0)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("wrong_amount", {"total_amount": "3.01"}),
        ("wrong_app_id", {"app_id": "2021999999999999"}),
        ("wrong_seller", {"seller_id": "2088999999999999"}),
    ],
)
def test_a_wrong_fact_stays_wrong_in_every_send(
    merchant: Merchant, fault: str, expected: dict[str, str]
) -> None:
    merchant.letterbox.answer = b"fail"
    merchant.control("faults", fault=fault)
    paid(merchant)
    (first,) = received(merchant)
    merchant.clock.advance(timedelta(minutes=4))
    (second,) = received(merchant)
    assert first == second
    assert first.items() >= expected.items()


@pytest.mark.parametrize("fault", ["tampered_byte", "bad_signature"])
def test_what_was_spoilt_on_the_way_is_whole_in_the_next_send(
    merchant: Merchant, fault: str
) -> None:
    merchant.letterbox.answer = b"fail"
    merchant.control("faults", fault=fault)
    paid(merchant)
    (spoilt,) = received(merchant)
    merchant.clock.advance(timedelta(minutes=4))
    (whole,) = received(merchant)
    assert len([name for name in whole if whole[name] != spoilt[name]]) == 1
    assert whole["notify_id"] == spoilt["notify_id"]


def test_notices_come_twice_late_in_another_order_or_never(merchant: Merchant) -> None:
    merchant.control("faults", fault="duplicate_notice")
    paid(merchant, "N1")
    first, second = received(merchant)
    assert first == second

    merchant.control("faults", fault="late_notice", delay_seconds=3600)
    paid(merchant, "N2")
    assert received(merchant) == []
    merchant.clock.advance(timedelta(hours=1))
    assert len(received(merchant)) == 1

    merchant.control("faults", fault="reordered_notice")
    paid(merchant, "N3")
    paid(merchant, "N4")
    assert [notice["out_trade_no"] for notice in received(merchant)] == ["N4"]
    merchant.clock.advance(timedelta(minutes=1))
    assert [notice["out_trade_no"] for notice in received(merchant)] == ["N3"]

    merchant.control("faults", fault="lost_notice")
    paid(merchant, "N5")
    merchant.clock.advance(timedelta(days=2))
    assert received(merchant) == []


def test_a_fault_is_for_one_trade_and_method_and_a_number_of_times(merchant: Merchant) -> None:
    merchant.control(
        "faults", fault="system_error", out_trade_no="N1", method="alipay.trade.query", times=2
    )
    merchant.create("N1")
    merchant.create("N2")
    query = "alipay.trade.query"
    assert merchant.call(query, {"out_trade_no": "N2"})["code"] == "10000"
    codes = [merchant.call(query, {"out_trade_no": "N1"})["code"] for _ in range(3)]
    assert codes == ["20000", "20000", "10000"]


def test_faults_can_be_listed_and_forgotten_and_must_be_known(merchant: Merchant) -> None:
    merchant.control("faults", fault="lost_notice")
    assert merchant.browser.get("/control/alipay/faults").json == ["lost_notice"]
    assert merchant.browser.delete("/control/alipay/faults").status_code == 204
    assert merchant.browser.get("/control/alipay/faults").json == []
    refused = merchant.browser.post("/control/alipay/faults", json={"fault": "earthquake"})
    assert refused.status_code == 400
    assert "duplicate_notice" in refused.text


def test_a_notice_may_come_before_the_answer(merchant: Merchant) -> None:
    merchant.control("faults", fault="notice_before_answer", method="alipay.trade.create")
    answer = merchant.create("N1")
    assert answer["code"] == "10000"
    (body,) = merchant.letterbox.received
    assert b"TRADE_SUCCESS" in body


def test_a_lost_answer_has_had_its_effect(merchant: Merchant) -> None:
    paid(merchant, "N1")
    merchant.control("faults", fault="lost_answer", method="alipay.trade.refund")
    back = {"out_trade_no": "N1", "refund_amount": "1.00", "out_request_no": "R1"}
    parameters = merchant.parameters("alipay.trade.refund", back)
    assert merchant.browser.post("/alipay/gateway.do", data=parameters).status_code == 504
    assert merchant.call("alipay.trade.refund", back)["refund_fee"] == "1.00"


def test_a_partial_and_a_full_refund_are_told_as_documented(merchant: Merchant) -> None:
    paid(merchant, "N1")
    received(merchant)
    back = {"out_trade_no": "N1", "refund_amount": "1.00", "out_request_no": "R1"}
    merchant.call("alipay.trade.refund", back)
    merchant.call("alipay.trade.refund", {**back, "refund_amount": "2.00", "out_request_no": "R2"})
    partial, full = received(merchant)
    told = ("trade_status", "refund_fee", "out_biz_no")
    assert [partial[name] for name in told] == ["TRADE_SUCCESS", "1.00", "R1"]
    assert [full[name] for name in told] == ["TRADE_CLOSED", "3.00", "R2"]
    assert partial["gmt_refund"] == f"{wire_time(MORNING)}.000"
    assert "gmt_close" not in full


def test_the_simulator_never_leaves_the_machine() -> None:
    for url in ("http://192.0.2.1/x", "https://127.0.0.1/x", "http://example.com/x", "ftp://x"):
        status, answer = post(url, b"")
        assert status == 0
        assert answer.startswith(b"refused")
    assert post("http://127.0.0.1:1/x", b"") == (0, b"no answer: ConnectionRefusedError")


def test_a_notice_reaches_a_merchant_over_http(httpserver: HTTPServer) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    httpserver.expect_oneshot_request(
        "/callbacks", method="POST", query_string="x=1", headers=form, data="a=1"
    ).respond_with_data("success")
    assert post(httpserver.url_for("/callbacks?x=1"), b"a=1") == (200, b"success")
    status, _ = post(httpserver.url_for("/elsewhere"), b"a=1")
    assert status == 500


def test_a_started_courier_sends_by_itself() -> None:
    arrived = threading.Event()

    def receive(url: str, body: bytes) -> tuple[int, bytes]:
        assert (url, body) == ("http://127.0.0.1:1/x", b"hello")
        arrived.set()
        return 200, b"success"

    courier = Courier(ManualClock(MORNING), transport=receive)
    courier.start()
    courier.queue("http://127.0.0.1:1/x", b"hello", notify_id="1", about="N1")
    assert arrived.wait(timeout=10)
    courier.stop()
    assert [delivery.accepted for delivery in courier.deliveries] == [True]
