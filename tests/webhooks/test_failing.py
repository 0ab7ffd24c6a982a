"""Endpoints that fail for long, for ever, or slowly; and workers that die."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from payments.events.models import FactRow
from payments.kernel.errors import NotFound
from payments.kernel.http import GuardedHttpClient
from payments.merchants import queries as merchant_queries
from payments.merchants.models import CallbackEndpoint
from payments.webhooks import flows, operations, queries
from payments.webhooks.courier import Courier, Patience
from payments.webhooks.rules import LONG_FAILURE, SCHEDULE
from tests.webhooks.conftest import METRO, Office, Receiver


def refusing(httpserver: HTTPServer) -> Receiver:
    receiver = Receiver(httpserver, "/refusing")
    receiver.verifying = False
    receiver.answer = lambda _: Response(status=500)
    return receiver


def endpoint(office: Office) -> CallbackEndpoint:
    with office.database.read() as session:
        (found,) = merchant_queries.endpoints(session, merchant_id=office.merchant_id)
    return found


def test_after_three_days_a_delivery_is_dead_and_can_be_replayed(
    office: Office, httpserver: HTTPServer
) -> None:
    receiver = refusing(httpserver)
    office.endpoint(receiver)
    office.sell("tic_1")
    office.deliver()
    for wait in SCHEDULE:
        assert office.states() == ["due"]
        office.clock.advance(wait * 1.2)
        assert office.deliver() == 1
    assert office.states() == ["dead"]
    office.wait(days=1)
    assert office.deliver() == 0
    assert len(receiver.received) == len(SCHEDULE) + 1
    assert len(set(receiver.ids)) == 1

    (dead,) = office.deliveries()
    with office.database.transaction() as session:
        replayed = operations.replay(
            session, book_id=METRO, delivery_id=dead.delivery_id, now=office.clock.now()
        )
        assert replayed.state == "due"
    assert office.deliver() == 1
    (again,) = office.deliveries()
    assert (again.state, again.failures) == ("due", 1)
    assert len(office.attempts(again)) == len(SCHEDULE) + 2


def test_an_endpoint_that_fails_for_days_is_disabled_and_the_merchant_is_told(
    office: Office, httpserver: HTTPServer
) -> None:
    office.endpoint(refusing(httpserver))
    step = LONG_FAILURE / 5
    for day in range(7):
        office.sell(f"tic_{day}")
        office.deliver()
        office.clock.advance(step)
    failing = endpoint(office)
    assert (failing.status, failing.disabled_reason) == ("disabled", "failing")
    assert "due" not in office.states()
    with office.database.read() as session:
        told = session.scalars(
            select(FactRow).where(FactRow.name == "callback-endpoint.disabled")
        ).all()
    assert [(fact.subject, fact.fields["reason"]) for fact in told] == [
        (failing.endpoint_id, "failing")
    ]

    receiver = Receiver(httpserver, "/healed")
    with office.database.transaction() as session:
        enabled = operations.enable_endpoint(
            session, merchant_id=office.merchant_id, endpoint_id=failing.endpoint_id
        )
        enabled.url = receiver.url
        number = operations.replay_range(
            session,
            merchant_id=office.merchant_id,
            endpoint_id=failing.endpoint_id,
            since=office.clock.now() - timedelta(days=30),
            until=office.clock.now(),
            now=office.clock.now(),
        )
    assert number == len(office.deliveries()) == 6
    assert {delivery.state for delivery in office.deliveries()} == {"due"}


def test_what_another_merchant_was_sent_is_not_found(
    office: Office, httpserver: HTTPServer
) -> None:
    office.endpoint(Receiver(httpserver, "/hook"))
    office.sell("tic_1")
    (delivery,) = office.deliveries()
    with office.database.transaction() as session:
        with pytest.raises(NotFound):
            queries.delivery(session, book_id="OTHERS", delivery_id=delivery.delivery_id)
        with pytest.raises(NotFound):
            operations.replay(
                session,
                book_id="OTHERS",
                delivery_id=delivery.delivery_id,
                now=office.clock.now(),
            )
        assert not queries.deliveries(session, book_id="OTHERS", limit=10)


@pytest.fixture
def closing_port() -> Iterator[int]:
    """A port where every connection is closed as soon as it is made."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def close_all() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    connection.close()
            except OSError:
                return

        thread = threading.Thread(target=close_all)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_closed_connection_is_a_failure_like_any_other(
    office: Office, httpserver: HTTPServer, closing_port: int
) -> None:
    receiver = Receiver(httpserver, "/hook")
    receiver.url = f"http://localhost:{closing_port}/hook"
    office.endpoint(receiver)
    office.sell("tic_1")
    http = GuardedHttpClient(allowed=frozenset({f"localhost:{closing_port}"}))
    flows.deliver(office.database, http=http, vault=office.vault, clock=office.clock)
    http.close()
    (delivery,) = office.deliveries()
    (attempt,) = office.attempts(delivery)
    assert (delivery.state, attempt.status) == ("due", None)
    assert attempt.reason


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://127.1/hook",
        "https://2130706433/hook",
        "https://0x7f000001/hook",
        "https://0177.0.0.1/hook",
        "https://0.0.0.0/hook",
        "https://[::1]/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://[64:ff9b::7f00:1]/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/hook",
        "https://10.0.0.8/hook",
        "https://8.8.8.8@127.0.0.1/hook",
        "https://8.8.8.8:22/hook",
        "http://8.8.8.8/hook",
    ],
)
def test_an_address_that_turned_bad_since_registration_is_not_called(
    office: Office, httpserver: HTTPServer, url: str
) -> None:
    receiver = Receiver(httpserver, "/hook")
    receiver.url = url
    office.endpoint(receiver)
    office.sell("tic_1")
    assert office.deliver() == 1
    (delivery,) = office.deliveries()
    (attempt,) = office.attempts(delivery)
    assert (delivery.state, attempt.status) == ("due", None)
    assert attempt.reason
    assert not receiver.received


def test_an_endpoint_that_hangs_delays_no_other(office: Office, httpserver: HTTPServer) -> None:
    """Seen to fail when a turn waits for everything it has sent."""
    hanging, healthy = Receiver(httpserver, "/hanging"), Receiver(httpserver, "/healthy")
    released = threading.Event()

    def hang(_: Request) -> Response:
        released.wait(20)
        return Response(status=200)

    hanging.answer = hang
    for receiver in (hanging, healthy):
        office.endpoint(receiver)
    office.sell(*(f"tic_{i}" for i in range(20)))
    patience = Patience(connect=5, read=30, deadline=30)
    with Courier(office.http, patience=patience) as courier:
        give_up = time.monotonic() + 15
        while office.states().count("delivered") < 20 and time.monotonic() < give_up:
            flows.turn(office.database, courier=courier, vault=office.vault, clock=office.clock)
        assert sum(courier.under_way().values()) == 1
        assert len(hanging.received) == 1
        assert len(healthy.received) == 20
        released.set()


def test_workers_beside_each_other_send_each_delivery_once(
    office: Office, httpserver: HTTPServer
) -> None:
    """Seen to fail when a claim does not push `due_at` out."""
    receivers = [Receiver(httpserver, f"/hook{i}") for i in range(3)]
    for receiver in receivers:
        office.endpoint(receiver)
    office.sell(*(f"tic_{i}" for i in range(40)))
    with ThreadPoolExecutor(3) as pool:
        sent = [pool.submit(office.deliver) for _ in range(3)]
        total = sum(future.result() for future in sent)
    assert total == 120
    for receiver in receivers:
        assert set(Counter(receiver.ids).values()) == {1}
        assert len(receiver.ids) == 40
