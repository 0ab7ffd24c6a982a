"""A merchant built on python-alipay-sdk, unmodified, run as a process of its own.

Reads one JSON object from standard input and prints one. It lives apart from the official SDK,
because both distributions bring an `alipay/__init__.py`.
"""

import json
import sys
import urllib.request
from typing import Any

from alipay import AliPay, DCAliPay


def client(order: dict[str, Any]) -> Any:
    """Return the SDK's client, in certificate mode when there are certificates."""
    given = {"appid": order["app_id"], "app_private_key_string": order["app_private_key"]}
    if "alipay_cert" in order:
        sdk = DCAliPay(
            **given,
            app_notify_url=order["notify_url"],
            app_public_key_cert_string=order["app_cert"],
            alipay_public_key_cert_string=order["alipay_cert"],
            alipay_root_cert_string=order["alipay_root_cert"],
        )
    else:
        sdk = AliPay(
            **given,
            app_notify_url=order["notify_url"],
            alipay_public_key_string=order["alipay_public_key"],
        )
    sdk._gateway = order["gateway"]
    return sdk


def main() -> None:
    """Carry out the calls in order; `pay` clicks in the simulator's control API."""
    order = json.load(sys.stdin)
    sdk = client(order)
    if "notices" in order:
        verdicts = [sdk.verify(fields, fields.pop("sign")) for fields in order["notices"]]
        json.dump(verdicts, sys.stdout)
        return
    calls = {
        "create": sdk.api_alipay_trade_create,
        "precreate": sdk.api_alipay_trade_precreate,
        "query": sdk.api_alipay_trade_query,
        "close": sdk.api_alipay_trade_close,
        "refund": sdk.api_alipay_trade_refund,
        "refund_query": sdk.api_alipay_trade_fastpay_refund_query,
    }
    answers = []
    for name, content in order["calls"]:
        if name == "pay":
            pay = f"{order['control']}/trades/{content}/pay"
            urllib.request.urlopen(pay, data=b"").read()  # noqa: S310  loopback, from the test
        else:
            answers.append(calls[name](**content))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
