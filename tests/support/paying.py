"""A metro company, a citizen, two payment accounts and the sweeps, driven by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from payments.events import flows as event_flows
from payments.events import queries as event_queries
from payments.events.facts import Fact
from payments.events.listeners import combine
from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.ids import PLATFORM_BOOK, BookId, book_of
from payments.ledger import operations as ledger
from payments.ledger import queries as ledger_queries
from payments.ledger.handlers import HANDLERS as LEDGER_HANDLERS
from payments.notices import flows as notice_flows
from payments.orders import flows, operations, queries
from payments.orders.models import Attempt, Case, Order
from payments.providers.interface import Acknowledgement, Scene
from payments.providers.registry import Providers
from payments.refunds import flows as refund_flows
from payments.refunds import operations as refunds
from payments.refunds.handlers import HANDLERS as REFUND_HANDLERS
from payments.refunds.models import Refund
from tests.support.providers import FakeProvider

METRO = BookId("HZMTRO")
CITIZEN = "cit_1"
FARE = 400
LIFE = timedelta(minutes=15)
HANDLERS = combine(LEDGER_HANDLERS, REFUND_HANDLERS)
TRIES = 50


@dataclass
class City:
    """Everything between a citizen and the books, with the network played by FakeProvider."""

    database: Database
    clock: FixedClock
    alipay: FakeProvider = field(default_factory=FakeProvider)
    wechat: FakeProvider = field(
        default_factory=lambda: FakeProvider(
            account_id="second",
            name="wechatpay",
            app_id="app-2",
            seller_id="seller-2",
            key=b"another key",
        )
    )
    placed: int = 0

    def __post_init__(self) -> None:
        self.providers = Providers([self.alipay, self.wechat])
        with self.database.transaction() as session:
            for book_id, name in ((METRO, "杭州地铁"), (PLATFORM_BOOK, "平台")):
                ledger.open_book(session, book_id=book_id, name=name, now=self.clock.now())

    # What the citizen does.

    def place(self, **changes: Any) -> Order:
        self.placed += 1
        wanted: dict[str, Any] = {
            "book_id": METRO,
            "service": "transit",
            "service_reference": f"trip-{self.placed}",
            "citizen_id": CITIZEN,
            "amount_minor": FARE,
            "subject": "地铁单程票",
            "expires_at": self.clock.now() + LIFE,
            "now": self.clock.now(),
        }
        with self.database.transaction() as session:
            return operations.place(session, **{**wanted, **changes})

    def start(
        self,
        order: Order,
        *,
        provider: FakeProvider | None = None,
        key: str = "key-1",
        scene: Scene = Scene.MINI_PROGRAM,
    ) -> Attempt:
        return flows.start_payment(
            self.database,
            order_id=order.id,
            citizen_id=CITIZEN,
            provider_name=(provider or self.alipay).name,
            scene=scene,
            payer="2088000000000001",
            request_key=key,
            providers=self.providers,
            clock=self.clock,
            notify_base_url="https://city.example",
        )

    def pay(self, attempt: Attempt) -> bool:
        return self.account(attempt).pay(attempt.number, now=self.clock.now())

    def cancel(self, order: Order) -> Order:
        return flows.cancel(
            self.database,
            order_id=order.id,
            citizen_id=CITIZEN,
            providers=self.providers,
            clock=self.clock,
        )

    def look(self, order: Order) -> Order:
        return flows.look(
            self.database,
            order_id=order.id,
            citizen_id=CITIZEN,
            providers=self.providers,
            clock=self.clock,
        )

    def paid_order(self) -> tuple[Order, Attempt]:
        order = self.place()
        attempt = self.start(order)
        assert self.pay(attempt)
        self.notify(attempt)
        self.run()
        return self.order(order), self.attempt(attempt)

    # What the provider does.

    def provider(self, name: str) -> FakeProvider:
        return {one.name: one for one in (self.alipay, self.wechat)}[name]

    def account(self, attempt: Attempt) -> FakeProvider:
        return self.provider(attempt.provider)

    def notify(self, attempt: Attempt, **changes: Any) -> Acknowledgement:
        account = self.account(attempt)
        headers, body = account.notice(attempt.number, **changes)
        return self.receive(account, headers, body)

    def receive(
        self, account: FakeProvider, headers: Mapping[str, str], body: bytes
    ) -> Acknowledgement:
        return notice_flows.receive(
            self.database, provider=account, headers=headers, body=body, clock=self.clock
        )

    # What the worker does.

    def apply(self) -> int:
        return notice_flows.apply_pending(self.database, providers=self.providers, clock=self.clock)

    def settle(self) -> int:
        return flows.settle_unknown(self.database, providers=self.providers, clock=self.clock)

    def close_expired(self) -> int:
        return flows.close_expired(self.database, providers=self.providers, clock=self.clock)

    def send_refunds(self) -> int:
        return refund_flows.send(self.database, providers=self.providers, clock=self.clock)

    def drain(self) -> int:
        return event_flows.drain(self.database, handlers=HANDLERS, clock=self.clock)

    def run(self) -> None:
        """Run every sweep until none finds anything to do at this moment."""
        sweeps = (self.apply, self.settle, self.close_expired, self.drain, self.send_refunds)
        for _ in range(TRIES):
            if not sum(sweep() for sweep in sweeps):
                return
        raise AssertionError("the sweeps find no end")

    def run_for(self, length: timedelta, *, step: timedelta = timedelta(minutes=1)) -> None:
        """Let time pass with the sweeps running."""
        end = self.clock.now() + length
        while self.clock.now() < end:
            self.clock.advance(step)
            self.run()

    # What can be seen.

    def order(self, order: Order) -> Order:
        with self.database.transaction() as session:
            return queries.order(session, order_id=order.id, citizen_id=CITIZEN)

    def attempt(self, attempt: Attempt) -> Attempt:
        with self.database.transaction() as session:
            return queries.attempt(session, book_id=book_of(attempt.id), attempt_id=attempt.id)

    def refund(self, order: Order, amount_minor: int, reference: str = "r-1") -> Refund:
        with self.database.transaction() as session:
            return refunds.request(
                session,
                order_id=order.id,
                amount_minor=amount_minor,
                reason="行程取消",
                reference=reference,
                now=self.clock.now(),
            )

    def cases(self) -> list[Case]:
        with self.database.transaction() as session:
            return list(queries.open_cases(session, limit=100))

    def facts(self, subject: str) -> list[Fact]:
        with self.database.transaction() as session:
            return list(event_queries.facts_about(session, book_id=METRO, subject=subject))

    def balances(self) -> dict[str, int]:
        """Every account's balance that is not zero, as `BOOK/account`, in its normal direction."""
        found: dict[str, int] = {}
        with self.database.transaction() as session:
            for book_id in (METRO, PLATFORM_BOOK):
                balance = ledger_queries.trial_balance(session, book_id=book_id)
                for line in balance.rows:
                    if line.balance_minor:
                        found[f"{book_id}/{line.account}"] = line.balance_minor
        return found
