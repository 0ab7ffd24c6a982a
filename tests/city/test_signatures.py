"""The city's own signing and verifying agree with the libraries the world uses."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)
from standardwebhooks.webhooks import Webhook

from simulator.city.merchant import MerchantServer, NotAuthentic, verify
from simulator.city.signatures import Signature
from simulator.clock import ManualClock

KEY = Ed25519PrivateKey.generate()
URL = "http://127.0.0.1:8000/v1/transit/devices/collections?at=5"
BODY = b'{"pick_up_code": "0123456789AB"}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class OneKey(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        assert key_id == "key_1"
        return KEY.public_key()


def signed_request(body: bytes = BODY) -> requests.PreparedRequest:
    also = {"Idempotency-Key": "k1"}
    headers = Signature(key_id="key_1", key=KEY).headers(
        "POST", URL, body=BODY, also=also, created=datetime.now(UTC), nonce="n-1"
    )
    return requests.Request("POST", URL, headers={**also, **headers}, data=body).prepare()


def verifier() -> HTTPMessageVerifier:
    return HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=OneKey())


def test_the_library_accepts_what_the_city_signs() -> None:
    (result,) = verifier().verify(signed_request(), max_age=timedelta(minutes=5))
    covered = {name.strip('"') for name in result.covered_components}
    assert covered >= {"@method", "@target-uri", "content-digest", "idempotency-key"}


def test_the_library_refuses_another_target() -> None:
    request = signed_request()
    request.url = URL + "1"
    with pytest.raises(InvalidSignature):
        verifier().verify(request, max_age=timedelta(minutes=5))


def callback(moment: datetime, body: str) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", moment, body),
    }


def test_the_city_accepts_what_the_library_signs() -> None:
    body = '{"type": "transit.ticket-collected"}'
    headers = callback(NOW, body)
    assert verify(headers, body.encode(), secret=SECRET, clock=ManualClock(NOW)) == "msg_1"


@pytest.mark.parametrize("harm", ["body", "id", "age", "signature", "missing"])
def test_the_city_refuses_what_was_harmed(harm: str) -> None:
    headers, body = callback(NOW, "{}"), b"{}"
    clock = ManualClock(NOW)
    if harm == "body":
        body = b"{ }"
    elif harm == "id":
        headers["webhook-id"] = "msg_2"
    elif harm == "age":
        clock.advance(timedelta(minutes=6))
    elif harm == "signature":
        headers["webhook-signature"] = "v1,AAAA v2,BBBB"
    else:
        del headers["webhook-timestamp"]
    with pytest.raises(NotAuthentic):
        verify(headers, body, secret=SECRET, clock=clock)


def delivered(url: str, body: str, headers: dict[str, str]) -> int:
    return requests.post(url, body, headers=headers, timeout=5).status_code


def test_the_merchant_counts_an_event_once_however_often_it_comes() -> None:
    with MerchantServer(clock=ManualClock(NOW), down_every=3) as merchant:
        merchant.secret = SECRET
        body = json.dumps({"type": "order.paid", "data": {"amount_minor": 300}})
        headers = callback(NOW, body)
        answers = [delivered(merchant.url, body, headers) for _ in range(4)]
        answers.append(delivered(merchant.url, body, {}))
    assert answers == [204, 204, 503, 204, 400]
    assert (merchant.tally.events["order.paid"], merchant.tally.amounts_minor["order.paid"]) == (
        1,
        300,
    )
    assert (merchant.tally.repeated, merchant.tally.turned_away, merchant.tally.refused) == (
        2,
        1,
        1,
    )
