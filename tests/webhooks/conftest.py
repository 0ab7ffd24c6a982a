"""A post office: facts go in, callbacks come out at a receiver on loopback."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from payments.events import flows as events
from payments.events import operations as event_operations
from payments.events.facts import Fact
from payments.kernel.clock import FixedClock, SystemClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.kernel.http import GuardedHttpClient
from payments.kernel.ids import BookId
from payments.merchants import operations as merchants
from payments.merchants.callback_secrets import CallbackSecret
from payments.merchants.models import CallbackEndpoint
from payments.merchants.rules import SecretKind
from payments.webhooks import flows, handlers, queries
from payments.webhooks.courier import PATIENCE, Patience
from payments.webhooks.models import Attempt, Delivery

METRO = BookId("HZMTRO")
IMPATIENT = Patience(connect=1, read=0.3, deadline=0.5)


@dataclass(frozen=True, kw_only=True)
class TicketSold(Fact):
    name = "tests.ticket-sold"
    published = ("ticket_id", "amount_minor")

    ticket_id: str
    citizen_id: str = "cit_nobody"
    amount_minor: int = 400
    sold_at: datetime

    @property
    def subject(self) -> str:
        return self.ticket_id

    @property
    def occurred_at(self) -> datetime:
        return self.sold_at


class Receiver:
    """A merchant's endpoint that verifies with the reference library, and misbehaves on demand."""

    def __init__(self, server: HTTPServer, path: str) -> None:
        self.url = f"http://localhost:{server.port}{path}"
        self.secret = CallbackSecret.generate(SecretKind.HMAC)
        self.answer: Callable[[Request], Response] = lambda _: Response(status=204)
        self.verifying = True
        self.received: list[Request] = []
        server.expect_request(path).respond_with_handler(self._receive)

    def _receive(self, request: Request) -> Response:
        if self.verifying:  # Not when the office's clock has left the machine's behind.
            Webhook(self.secret.text).verify(request.get_data(), dict(request.headers))
        self.received.append(request)
        return self.answer(request)

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.received]


@dataclass(frozen=True, kw_only=True)
class Office:
    """Everything that carries facts to receivers, on a database with real commits."""

    database: Database
    clock: FixedClock
    vault: Vault
    http: GuardedHttpClient
    merchant_id: str

    def endpoint(self, receiver: Receiver, *, events: tuple[str, ...] = ("*",)) -> CallbackEndpoint:
        with self.database.transaction() as session:
            return merchants.add_endpoint(
                session,
                merchant_id=self.merchant_id,
                url=receiver.url,
                events=events,
                secrets=[receiver.secret],
                vault=self.vault,
                now=self.clock.now(),
            )

    def sell(self, *tickets: str) -> None:
        """Record a fact per ticket and let webhooks hear of it."""
        with self.database.transaction() as session:
            for ticket in tickets:
                fact = TicketSold(book_id=METRO, ticket_id=ticket, sold_at=self.clock.now())
                event_operations.record(session, fact, now=self.clock.now())
        listeners = handlers.for_published_facts()
        while events.drain(self.database, handlers=listeners, clock=self.clock):
            pass

    def deliver(self, *, patience: Patience = PATIENCE) -> int:
        return flows.deliver(
            self.database,
            http=self.http,
            vault=self.vault,
            clock=self.clock,
            patience=patience,
        )

    def wait(self, **step: float) -> None:
        self.clock.advance(timedelta(**step))

    def deliveries(self) -> list[Delivery]:
        with self.database.read() as session:
            page = queries.deliveries(session, book_id=METRO, limit=1_000)
        return [sent.delivery for sent in reversed(page)]

    def states(self) -> list[str]:
        return [delivery.state for delivery in self.deliveries()]

    def attempts(self, delivery: Delivery) -> list[Attempt]:
        with self.database.read() as session:
            return list(queries.attempts(session, delivery_id=delivery.delivery_id))


@pytest.fixture
def httpserver() -> Iterator[HTTPServer]:
    """A server that answers several requests at once."""
    with HTTPServer(host="localhost", threaded=True) as server:
        yield server


@pytest.fixture
def office(fresh_database: Database, httpserver: HTTPServer) -> Iterator[Office]:
    clock = FixedClock(SystemClock().now())  # The reference library looks at the machine's clock.
    with fresh_database.transaction() as session:
        merchant = merchants.register(
            session,
            name_zh="杭州地铁",
            name_en="Hangzhou Metro",
            book_id=METRO,
            credit_code="91110000600037341L",
            now=clock.now(),
        )
    http = GuardedHttpClient(allowed=frozenset({f"localhost:{httpserver.port}"}))
    yield Office(
        database=fresh_database,
        clock=clock,
        vault=Vault({"1": bytes(range(32))}, "1", bytes(range(1, 33))),
        http=http,
        merchant_id=merchant.merchant_id,
    )
    http.close()


def verify_ed25519(public_key: str, request: Request) -> None:
    """Verify a v1a signature by the letter of the specification. Raises InvalidSignature."""
    headers = request.headers
    signed = b".".join(
        (
            headers["webhook-id"].encode(),
            headers["webhook-timestamp"].encode(),
            request.get_data(),
        )
    )
    (signature,) = (
        part.removeprefix("v1a,")
        for part in headers["webhook-signature"].split()
        if part.startswith("v1a,")
    )
    raw = base64.b64decode(public_key.removeprefix("whpk_"))
    Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature), signed)
