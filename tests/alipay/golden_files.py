"""Plays a golden file: one call, the request it must send, an answer, and what must come of it.

Answers are signed with the vectors' platform key by OpenSSL.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from payments.kernel.http import HttpAnswer, HttpClient
from payments.providers.interface import (
    PaymentInstruction,
    PaymentReference,
    RefundInstruction,
    RefundReference,
    Scene,
)
from tests.alipay.accounts import NOW, vector_account

GATEWAY = "https://openapi.example.com/gateway.do"


class ScriptedHttp(HttpClient):
    """Takes the place of the network: one answer, and the request it was given to."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answer = answer
        self.sent = ("", "")

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        **_: Any,
    ) -> HttpAnswer:
        assert (method, headers) == (
            "POST",
            {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
        )
        self.sent = (url, body.decode("ascii"))
        return HttpAnswer(status=200, headers={}, body=self.answer.encode())


def instruction(golden: Mapping[str, Any]) -> Any:
    """Return what a golden file's call is made with."""
    given = dict(golden["with"])
    if golden["call"] == "start":
        expires_at = datetime.fromisoformat(given.pop("expires_at"))
        return PaymentInstruction(**given | {"scene": Scene(given["scene"])}, expires_at=expires_at)
    if golden["call"] == "refund":
        return RefundInstruction(**given)
    return RefundReference(**given) if "refund_number" in given else PaymentReference(**given)


def replay(golden: Mapping[str, Any]) -> tuple[tuple[str, str], dict[str, Any]]:
    """Return the request that was sent, and the result as plain values without what is empty."""
    http = ScriptedHttp(golden["answer"])
    account = replace(vector_account(gateway=GATEWAY), http=http)
    result = asdict(getattr(account, golden["call"])(instruction(golden), now=NOW))
    plain = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in result.items()
        if value
    }
    return http.sent, plain
