"""Unmodified SDKs of others are merchants of the simulator, so it cannot drift towards our adapter.

Each runs in a process of its own, over loopback HTTP, from create to refund, and checks the notice.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from simulator.clock import SimulatorClock
from simulator.courier import Courier
from simulator.keys import ensure_alipay
from simulator.runner import Simulator

HERE = Path(__file__).parent
SEPARATE = Path(sys.prefix) / "sdk"  # requirements-sdk.lock
NOTIFY_URL = "http://127.0.0.1:1/callbacks/alipay/alipay-main"
HTTP_PORT = 80
TIMEOUT_SECONDS = 60

NUMBER = "HZMTRO0001"
ORDER = {"out_trade_no": NUMBER, "total_amount": "3.00", "subject": "地铁票 100% +:,测试"}
PAYER = {"buyer_id": "2088000000000001", "op_app_id": "2021000000000001"}
CALLS: list[tuple[str, Any]] = [
    ("create", {**ORDER, **PAYER, "product_code": "JSAPI_PAY"}),
    ("query", {"out_trade_no": NUMBER}),
    ("pay", NUMBER),
    ("query", {"out_trade_no": NUMBER}),
    ("refund", {"out_trade_no": NUMBER, "refund_amount": "1.00", "out_request_no": "R1"}),
    ("refund_query", {"out_trade_no": NUMBER, "out_request_no": "R1"}),
    ("precreate", {**ORDER, "out_trade_no": "HZMTRO0002"}),
    ("create", {**ORDER, **PAYER, "out_trade_no": "HZMTRO0003"}),
    ("close", {"out_trade_no": "HZMTRO0003"}),
]


@dataclass
class Alipay:
    """A running simulator with one account, and the notices it has sent."""

    simulator: Simulator
    notices: list[dict[str, str]]
    account_id: str

    def order(self, **more: object) -> dict[str, object]:
        """Return what a merchant process is told: who it is, and where Alipay is."""
        keys = self.simulator.keys
        account = tomllib.loads((keys / f"{self.account_id}.toml").read_text())
        files = {
            name: (keys / value).read_text()
            for name, value in account.items()
            if isinstance(value, str) and (keys / value).is_file()
        }
        address = {"gateway": account["gateway"], "notify_url": NOTIFY_URL}
        control = f"{self.simulator.url}/control/alipay"
        return {"app_id": account["app_id"], "control": control, **address, **files, **more}


def listen(keys: Path, courier: Courier, clock: SimulatorClock, *, port: int) -> Simulator:
    window = timedelta(minutes=5)
    return Simulator(
        keys=keys, port=port, clock=clock, courier=courier, window=window, send_notices=False
    )


def open_alipay(keys: Path, account_id: str, *, port: int = 0) -> Iterator[Alipay]:
    notices: list[dict[str, str]] = []

    def receive(url: str, body: bytes) -> tuple[int, bytes]:
        assert url == NOTIFY_URL
        notices.append(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        return 200, b"success"

    clock = SimulatorClock()
    courier = Courier(clock, transport=receive)
    certificates = account_id == "alipay-cert"
    ensure_alipay(keys, gateway="", account_id=account_id, certificates=certificates)
    try:
        simulator = listen(keys, courier, clock, port=port)
    except (OSError, SystemExit):  # Port 80 may be another's, or only root's.
        simulator = listen(keys, courier, clock, port=0)
    with simulator:
        yield Alipay(simulator=simulator, notices=notices, account_id=account_id)


@pytest.fixture
def at_http_port(tmp_path: Path) -> Iterator[Alipay]:
    """A simulator on port 80 where the system allows it."""
    yield from open_alipay(tmp_path, "alipay-main", port=HTTP_PORT)


@pytest.fixture(params=["alipay-main", "alipay-cert"])
def alipay(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Alipay]:
    yield from open_alipay(tmp_path, request.param)


def run(script: str, order: dict[str, object], *, path: Path | None = None) -> Any:
    """Run a merchant as a process in Beijing, whose local time its SDK sends."""
    environment = {**os.environ, "TZ": "Asia/Shanghai", "no_proxy": "127.0.0.1"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, HERE / script],
        input=json.dumps(order),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def check_answers(answers: list[dict[str, str]]) -> None:
    assert {answer["code"] for answer in answers} == {"10000"}
    created, waiting, paid, refunded, refund, code, other, closed = answers
    assert created["out_trade_no"] == NUMBER
    assert waiting["trade_status"] == "WAIT_BUYER_PAY"
    assert (paid["trade_status"], paid["total_amount"]) == ("TRADE_SUCCESS", "3.00")
    assert paid["subject"] == ORDER["subject"]
    assert (refunded["fund_change"], refunded["refund_fee"]) == ("Y", "1.00")
    assert (refund["refund_status"], refund["refund_amount"]) == ("REFUND_SUCCESS", "1.00")
    assert code["qr_code"].startswith("http://127.0.0.1")
    assert closed["trade_no"] == other["trade_no"]


def check_notices(alipay: Alipay) -> dict[str, str]:
    alipay.simulator.world.courier.deliver_due()
    paid, refunded = alipay.notices
    assert (paid["trade_status"], paid["total_amount"]) == ("TRADE_SUCCESS", "3.00")
    assert (refunded["out_biz_no"], refunded["refund_fee"]) == ("R1", "1.00")
    return paid


def test_the_official_sdk_is_a_merchant(at_http_port: Alipay) -> None:
    port = int(at_http_port.simulator.url.rpartition(":")[2])
    forwarding = {} if port == HTTP_PORT else {"forward_port": port}
    order = at_http_port.order(calls=CALLS, **forwarding)
    order["gateway"] = "http://127.0.0.1/alipay/gateway.do"
    check_answers(run("merchant_with_official_sdk.py", order))
    paid = check_notices(at_http_port)
    assert run("merchant_with_official_sdk.py", order | {"notice": paid}) is True


def test_the_community_sdk_is_a_merchant(alipay: Alipay) -> None:
    assert SEPARATE.is_dir(), (
        f"install python-alipay-sdk apart: pip install --no-deps --no-build-isolation "
        f"--require-hashes --target {SEPARATE} -r requirements-sdk.lock (make does it)"
    )
    script = "merchant_with_community_sdk.py"
    check_answers(run(script, alipay.order(calls=CALLS), path=SEPARATE))
    paid = check_notices(alipay)
    wrong = paid | {"total_amount": "3.01"}
    verdicts = run(script, alipay.order(notices=[paid, wrong]), path=SEPARATE)
    assert verdicts == [True, False]
