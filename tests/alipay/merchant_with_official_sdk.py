"""A merchant built on the official alipay-sdk-python, unmodified, run as a process of its own.

Reads one JSON object from standard input and prints one. The SDK always connects to port 80; where
nobody may listen there, `forward_port` names the port that a forwarding rule of the system would
lead to, and the forwarding is done beneath the SDK, in its sockets.
"""

import json
import socket
import sys
import urllib.request
from typing import Any

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeCreateRequest import AlipayTradeCreateRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import (
    AlipayTradeFastpayRefundQueryRequest,
)
from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

REQUESTS = {
    "create": AlipayTradeCreateRequest,
    "precreate": AlipayTradePrecreateRequest,
    "query": AlipayTradeQueryRequest,
    "close": AlipayTradeCloseRequest,
    "refund": AlipayTradeRefundRequest,
    "refund_query": AlipayTradeFastpayRefundQueryRequest,
}
HTTP_PORT = 80


def forward(port: int) -> None:
    """Lead connections to port 80 to another port."""
    connect = socket.create_connection

    def connect_forwarded(address: Any, *given: Any, **more: Any) -> socket.socket:
        host, wanted = address
        return connect((host, port if wanted == HTTP_PORT else wanted), *given, **more)

    socket.create_connection = connect_forwarded


def client(order: dict[str, Any]) -> DefaultAlipayClient:
    """Return the SDK's client; it wants PKCS#1, as the console gives it to Python users."""
    key = load_pem_private_key(order["app_private_key"].encode(), password=None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    config = AlipayClientConfig()
    config.server_url = order["gateway"]
    config.app_id = order["app_id"]
    config.app_private_key = "".join(pem.decode().splitlines()[1:-1])
    config.alipay_public_key = "".join(order["alipay_public_key"].splitlines()[1:-1])
    return DefaultAlipayClient(config)


def main() -> None:
    """Carry out the calls in order; `pay` clicks in the simulator's control API."""
    order = json.load(sys.stdin)
    if order.get("forward_port"):
        forward(order["forward_port"])
    if "notice" in order:
        fields = dict(order["notice"])
        sign, _ = fields.pop("sign"), fields.pop("sign_type")
        text = get_sign_content(fields).encode()
        json.dump(verify_with_rsa(order["alipay_public_key"], text, sign), sys.stdout)
        return
    sdk = client(order)
    answers = []
    for name, content in order["calls"]:
        if name == "pay":
            pay = f"{order['control']}/trades/{content}/pay"
            urllib.request.urlopen(pay, data=b"").read()  # noqa: S310  loopback, from the test
            continue
        request = REQUESTS[name]()
        request.biz_content = content
        if "notify_url" in order:
            request.notify_url = order["notify_url"]
        answers.append(json.loads(sdk.execute(request)))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
