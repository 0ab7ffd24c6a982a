"""Random interleavings of citizens, providers, clock and faults against the providers' own books.

The model is what truly happened at the providers: who paid, when, and what was returned. Safety is
looked at after every step. In the end the faults stop, time passes, and everything has to be told
apart: one payment an order, the rest returned, and every fen in the ledger at the provider.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from payments.kernel.clock import FixedClock
from payments.kernel.database import Database
from payments.kernel.errors import QiantangError
from payments.ledger import queries as ledger_queries
from payments.orders import queries
from payments.orders.models import Attempt, Order
from payments.orders.rules import QUERY_DELAYS
from payments.providers.interface import Scene
from payments.refunds import queries as refund_queries
from tests.conftest import MONDAY_MORNING
from tests.support.paying import FARE, City
from tests.support.providers import Crash, FakeProvider, Fault
from tests.support.savepoints import SavepointDatabase

ORDERS = 2
STEPS = 50
EXAMPLES = 15

Delivery = tuple[FakeProvider, dict[str, str], bytes]

# What goes wrong with the first calls of one act; mostly nothing does.
FAULTS = st.one_of(st.just([]), st.lists(st.sampled_from(Fault), min_size=1, max_size=2))


class Interleavings(RuleBasedStateMachine):
    """One city, up to a few orders, two providers that lose requests and answers, and crashes."""

    orders = Bundle("orders")
    attempts = Bundle("attempts")
    deliveries = Bundle("deliveries")

    def __init__(self, shared: Database) -> None:
        super().__init__()
        self._rolled_back = SavepointDatabase.over(shared)
        database = self._rolled_back.__enter__()
        self.city = City(database=database, clock=FixedClock(MONDAY_MORNING))
        self.placed: list[Order] = []
        self.asked_refunds = 0

    def teardown(self) -> None:
        try:
            self.heal()
        finally:
            self._rolled_back.__exit__(None, None, None)

    # What citizens do.

    @initialize(target=orders)
    def first_order(self) -> Order:
        return self.placed_order()

    @rule(target=orders)
    @precondition(lambda self: len(self.placed) < ORDERS)
    def place(self) -> Order:
        return self.placed_order()

    @rule(
        target=attempts,
        order=orders,
        key=st.sampled_from(["key-1", "key-2"]),
        provider_name=st.sampled_from(["alipay", "wechatpay"]),
        scene=st.sampled_from([Scene.MINI_PROGRAM, Scene.CUSTOMER_SCANS]),
        faults=FAULTS,
    )
    def start(
        self, order: Order, key: str, provider_name: str, scene: Scene, faults: list[Fault]
    ) -> Any:
        provider = self.city.provider(provider_name)
        attempt = self.carefully(
            lambda: self.city.start(
                order, provider=provider, key=f"{provider.name}-{scene}-{key}", scene=scene
            ),
            faults,
        )
        return multiple() if attempt is None else attempt

    @rule(attempt=attempts)
    def pay(self, attempt: Attempt) -> None:
        self.city.pay(attempt)

    @rule(attempt=attempts)
    def pay_and_be_told(self, attempt: Attempt) -> None:
        self.city.pay(attempt)
        self.city.notify(attempt)

    @rule(order=orders, faults=FAULTS)
    def cancel(self, order: Order, faults: list[Fault]) -> None:
        self.carefully(lambda: self.city.cancel(order), faults)

    @rule(order=orders, faults=FAULTS)
    def look(self, order: Order, faults: list[Fault]) -> None:
        self.carefully(lambda: self.city.look(order), faults)

    @rule(order=orders, amount=st.integers(min_value=1, max_value=FARE))
    def ask_for_a_refund(self, order: Order, amount: int) -> None:
        self.asked_refunds += 1
        self.carefully(lambda: self.city.refund(order, amount, f"r-{self.asked_refunds}"))

    # What providers and the network do.

    @rule(target=deliveries, attempt=attempts)
    def send_notice(self, attempt: Attempt) -> Delivery:
        account = self.city.account(attempt)
        return account, *account.notice(attempt.number)

    @rule(delivery=deliveries)
    def deliver(self, delivery: Delivery) -> None:
        self.city.receive(*delivery)

    @rule(delivery=consumes(deliveries), position=st.integers(min_value=0))
    def deliver_tampered(self, delivery: Delivery, position: int) -> None:
        account, headers, body = delivery
        tampered = bytearray(body)
        tampered[position % len(body)] ^= 1
        assert self.city.receive(account, headers, bytes(tampered)) is account.refused

    @rule(attempt=attempts, wrong=st.sampled_from(["app_id", "seller_id", "currency"]))
    def deliver_wrong_facts(self, attempt: Attempt, wrong: str) -> None:
        self.city.notify(attempt, outcome="succeeded", amount_minor=FARE, **{wrong: "XXX"})

    @rule(attempt=attempts)
    def deliver_wrong_amount(self, attempt: Attempt) -> None:
        self.city.notify(attempt, outcome="succeeded", amount_minor=FARE - 1)

    # What workers and the clock do.

    @rule(seconds=st.sampled_from([1, 5, 30, 120, 900]))
    def wait(self, seconds: int) -> None:
        self.city.clock.advance(timedelta(seconds=seconds))

    @rule(
        sweep=st.sampled_from(["apply", "settle", "close_expired", "drain", "send_refunds", "run"]),
        faults=FAULTS,
    )
    def work(self, sweep: str, faults: list[Fault]) -> None:
        self.carefully(getattr(self.city, sweep), faults)

    def placed_order(self) -> Order:
        order = self.city.place()
        self.placed.append(order)
        return order

    def carefully(self, act: Callable[[], Any], faults: Sequence[Fault] = ()) -> Any:
        """Do something that may be refused, or end with the death of the process."""
        accounts = self.city.alipay, self.city.wechat
        for account in accounts:
            account.faults.extend(faults)
        try:
            return act()
        except (QiantangError, Crash):
            return None
        finally:
            for account in accounts:
                account.faults.clear()

    # What has to hold at every moment, and in the end.

    @invariant()
    def the_books_are_safe(self) -> None:
        """Nothing is believed that is not so, an order is paid once, and the books balance."""
        with self.city.database.transaction() as session:
            orders = session.scalars(select(Order)).all()
            attempts = session.scalars(select(Attempt)).all()
            assert ledger_queries.trial_balance(session).balanced
        for order in orders:
            succeeded = [
                attempt
                for attempt in attempts
                if attempt.order_id == order.id and attempt.state == "succeeded"
            ]
            payments = [attempt.id for attempt in succeeded if attempt.surplus is None]
            assert payments == ([order.paid_attempt_id] if order.state == "paid" else [])
            assert order.refunded_minor + order.refunding_minor <= FARE
            for attempt in succeeded:
                assert self.city.account(attempt).trades[attempt.number].paid_at is not None

    def heal(self) -> None:
        """The faults stop and time passes: everything that was promised is done."""
        city = self.city
        for wait in (timedelta(minutes=2), timedelta(minutes=20), *QUERY_DELAYS[-4:]):
            city.clock.advance(wait)
            city.run()
        stuck = sum(self.check_ending(order) for order in self.placed)
        balances = city.balances()
        held = sum(
            amount
            for account, amount in balances.items()
            if account.startswith("QTPLAT/assets:provider:")
        )
        assert held == city.alipay.holds() + city.wechat.holds()
        assert balances.get("HZMTRO/liabilities:suspense:transit", 0) == stuck
        assert balances.get("HZMTRO/assets:due-from:QTPLAT", 0) == held

    def check_ending(self, order: Order) -> int:
        """Compare an order with the truth; return what the provider refused to take back."""
        now = self.city.order(order)
        with self.city.database.transaction() as session:
            attempts = queries.attempts(session, order=order)
            refunds = refund_queries.refunds_of_order(session, order=order)
            returns = refund_queries.returns_of_order(session, order=order)
        assert now.state in {"paid", "closed"}
        assert {attempt.state for attempt in attempts} <= {"succeeded", "failed", "cancelled"}
        trades = {
            attempt.id: self.city.account(attempt).trades.get(attempt.number)
            for attempt in attempts
        }
        paid = {name for name, trade in trades.items() if trade and trade.paid_at}
        assert {attempt.id for attempt in attempts if attempt.state == "succeeded"} == paid
        surplus = {attempt.id for attempt in attempts if attempt.surplus}
        assert surplus == paid - {now.paid_attempt_id}
        assert {one.attempt_id for one in returns if one.state == "succeeded"} <= surplus
        assert {one.state for one in (*refunds, *returns)} <= {"succeeded", "failed"}
        refused = {one.attempt_id for one in returns if one.state == "failed"}
        for name in surplus - refused:
            trade = trades[name]
            assert trade is not None
            assert sum(trade.refunds.values()) == trade.amount_minor
        returned = sum(one.amount_minor for one in refunds if one.state == "succeeded")
        assert (now.refunding_minor, now.refunded_minor) == (0, returned)
        return len(refused) * FARE


def test_no_interleaving_breaks_the_books(shared_database: Database) -> None:
    """Seen to fail when a refused close was taken for a close, and when a surplus went unsaid."""
    made: Any = partial(Interleavings, shared_database)
    run_state_machine_as_test(
        made,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
