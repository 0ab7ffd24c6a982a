import json
import threading
from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from payments.merchants import operations as merchants
from payments.merchants import queries as merchant_queries
from payments.merchants.callback_secrets import CallbackSecret
from payments.merchants.operations.endpoints import ROTATION_OVERLAP
from payments.merchants.rules import SecretKind
from payments.webhooks.courier import ANSWER_BYTES, EXCERPT_CHARACTERS
from tests.webhooks.conftest import IMPATIENT, Office, Receiver, verify_ed25519


@pytest.fixture
def receiver(office: Office, httpserver: HTTPServer) -> Receiver:
    receiver = Receiver(httpserver, "/hook")
    office.endpoint(receiver)
    return receiver


def respond(status: int, body: bytes = b"", **headers: str) -> Callable[[Request], Response]:
    return lambda _: Response(
        body,
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def test_the_reference_library_verifies_a_callback(office: Office, receiver: Receiver) -> None:
    office.sell("tic_1")
    assert office.deliver() == 1
    (request,) = receiver.received
    verified = Webhook(receiver.secret.text).verify(request.get_data(), dict(request.headers))
    assert verified == json.loads(request.get_data())
    assert verified["data"]["ticket_id"] == "tic_1"
    assert verified["id"] == request.headers["webhook-id"]
    assert request.content_type == "application/json"
    (delivery,) = office.deliveries()
    assert delivery.state == "delivered"
    (attempt,) = office.attempts(delivery)
    assert attempt.status == 204
    assert attempt.duration_ms is not None
    assert office.deliver() == 0


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (respond(500, b"broken"), 500),
        (respond(404), 404),
        (respond(302, Location="https://elsewhere.example/"), 302),
        (respond(307, Location="/hook"), 307),
    ],
    ids=["500", "404", "302", "307"],
)
def test_what_is_not_2xx_is_tried_again_and_heals(
    office: Office, receiver: Receiver, answer: Callable[[Request], Response], status: int
) -> None:
    receiver.answer = answer
    office.sell("tic_1")
    office.deliver()
    assert len(receiver.received) == 1
    assert office.states() == ["due"]
    office.wait(seconds=4)
    assert office.deliver() == 0
    receiver.answer = respond(200)
    office.wait(seconds=2)
    assert office.deliver() == 1
    (delivery,) = office.deliveries()
    assert delivery.state == "delivered"
    assert [attempt.status for attempt in office.attempts(delivery)] == [status, 200]
    assert len(set(receiver.ids)) == 1


def test_a_hang_is_a_failure_and_heals(office: Office, receiver: Receiver) -> None:
    done = threading.Event()

    def hang(_: Request) -> Response:
        done.wait(5)
        return Response(status=200)

    receiver.answer = hang
    office.sell("tic_1")
    office.deliver(patience=IMPATIENT)
    done.set()
    (delivery,) = office.deliveries()
    (attempt,) = office.attempts(delivery)
    assert attempt.status is None
    assert attempt.reason
    assert attempt.duration_ms is not None
    assert attempt.duration_ms < 3_000
    receiver.answer = respond(200)
    office.wait(seconds=6)
    office.deliver()
    assert office.states() == ["delivered"]
    assert len(set(receiver.ids)) == 1


def test_an_endless_answer_is_cut_and_its_beginning_kept(
    office: Office, receiver: Receiver
) -> None:
    receiver.answer = respond(200, "中\x00".encode() + b"x" * 10_000_000)
    office.sell("tic_1")
    office.deliver()
    (delivery,) = office.deliveries()
    (attempt,) = office.attempts(delivery)
    assert attempt.status == 200
    assert attempt.excerpt.startswith("中\ufffdxxx")
    assert len(attempt.excerpt) == EXCERPT_CHARACTERS < ANSWER_BYTES


def test_an_endpoint_that_asks_to_wait_is_left_alone(office: Office, receiver: Receiver) -> None:
    receiver.answer = respond(503, Retry_After="120")
    office.sell("tic_1")
    office.deliver()
    office.wait(seconds=100)
    office.sell("tic_2")
    assert office.deliver() == 0
    receiver.answer = respond(200)
    office.wait(seconds=25)
    assert office.deliver() == 2
    assert office.states() == ["delivered", "delivered"]


def test_an_endpoint_that_is_gone_is_not_called_again(office: Office, receiver: Receiver) -> None:
    receiver.answer = respond(410)
    office.sell("tic_1", "tic_2")
    office.deliver()
    with office.database.read() as session:
        (endpoint,) = merchant_queries.endpoints(session, merchant_id=office.merchant_id)
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "gone")
    assert office.states() == ["dead", "dead"]
    office.sell("tic_3")
    office.wait(days=1)
    assert office.deliver() == 0


def test_every_living_secret_signs_while_one_replaces_another(
    office: Office, receiver: Receiver
) -> None:
    with office.database.read() as session:
        (endpoint,) = merchant_queries.endpoints(session, merchant_id=office.merchant_id)
    fresh = CallbackSecret.generate(SecretKind.HMAC)
    pair = CallbackSecret.generate(SecretKind.ED25519)
    for secret in (fresh, pair):
        with office.database.transaction() as session:
            merchants.rotate_secret(
                session,
                merchant_id=office.merchant_id,
                endpoint_id=endpoint.endpoint_id,
                secret=secret,
                vault=office.vault,
                now=office.clock.now(),
            )
    office.sell("tic_1")
    office.deliver()
    (request,) = receiver.received
    for secret in (receiver.secret, fresh):
        Webhook(secret.text).verify(request.get_data(), dict(request.headers))
    verify_ed25519(pair.shown, request)
    assert len(request.headers["webhook-signature"].split()) == 3

    office.clock.advance(ROTATION_OVERLAP)
    receiver.verifying = False
    office.sell("tic_2")
    office.deliver()
    signatures = receiver.received[-1].headers["webhook-signature"].split()
    assert sorted(signature.partition(",")[0] for signature in signatures) == ["v1", "v1a"]
