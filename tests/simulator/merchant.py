"""A merchant of the simulator: signs requests with the development keys, receives notices."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Flask

from simulator.app import World, create_app
from simulator.clock import ManualClock, wire_time
from simulator.courier import Courier
from simulator.keys import ensure_alipay, read_private

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Beijing.
NOTIFY_URL = "http://127.0.0.1:1/callbacks/alipay/alipay-main"


class Letterbox:
    """Takes the place of the network: remembers each notice and answers what it is told to."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.answer = b"success"

    def __call__(self, url: str, body: bytes) -> tuple[int, bytes]:
        assert url == NOTIFY_URL
        self.received.append(body)
        return 200, self.answer


class Merchant:
    """Everything a test of the simulator needs, with a clock that moves only when told to."""

    def __init__(self, keys: Path) -> None:
        ensure_alipay(keys, gateway="http://127.0.0.1/alipay/gateway.do")
        self.clock = ManualClock(MORNING)
        self.letterbox = Letterbox()
        courier = Courier(self.clock, transport=self.letterbox)
        self.world = World.from_keys(keys, clock=self.clock, courier=courier)
        self.app: Flask = create_app(self.world)
        self.browser = self.app.test_client()
        self.app_key = read_private(keys / "alipay-main/app_private_key.pem")

    def parameters(self, method: str, content: Mapping[str, object], **more: str) -> dict[str, str]:
        """Return the signed parameters of a request."""
        parameters = {
            "app_id": "2021000000000001",
            "method": method,
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": wire_time(self.clock.now()),
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False),
            **more,
        }
        text = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
        signature = self.app_key.sign(text.encode(), PKCS1v15(), SHA256())
        return {**parameters, "sign": base64.b64encode(signature).decode()}

    def send(self, parameters: Mapping[str, str]) -> dict[str, object]:
        """Send parameters and return the node of the answer."""
        answer = self.browser.post("/alipay/gateway.do", data=dict(parameters))
        assert answer.status_code == 200, answer.status
        outer = json.loads(answer.data)
        node: dict[str, object] = next(iter(outer.values()))
        return node

    def call(self, method: str, content: Mapping[str, object], **more: str) -> dict[str, object]:
        """Sign, send and return the node of the answer."""
        return self.send(self.parameters(method, content, **more))

    def create(self, number: str = "HZMTRO0001", total: str = "3.00") -> dict[str, object]:
        """Create a trade as a mini program does."""
        return self.call(
            "alipay.trade.create",
            {
                "out_trade_no": number,
                "total_amount": total,
                "subject": "地铁票",
                "product_code": "JSAPI_PAY",
                "op_app_id": "2021000000000001",
                "buyer_id": "2088000000000001",
                "timeout_express": "15m",
            },
            notify_url=NOTIFY_URL,
        )

    def control(self, path: str, **content: object) -> object:
        """Use the control API."""
        answer = self.browser.post(f"/control/alipay/{path}", json=content)
        assert answer.status_code < 300, answer.data
        return answer.json

    def query_string(self, parameters: Mapping[str, str]) -> str:
        """Return parameters as a query."""
        return urlencode(parameters)
