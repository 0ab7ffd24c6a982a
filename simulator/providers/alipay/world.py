"""The simulated Alipay as one thing: its apps, trades, notices and faults."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.clock import SimulatorClock
from simulator.courier import Courier
from simulator.keys import AlipayApp
from simulator.providers.alipay.faults import Faults
from simulator.providers.alipay.notices import Notices
from simulator.providers.alipay.people import People
from simulator.providers.alipay.trades import Status, Trade, Trades

DEFAULT_BUYER = "2088000000000001"


class Alipay:
    """Everything Alipay knows. Changes happen under `trades.locked()`."""

    def __init__(
        self, *, apps: Mapping[str, AlipayApp], clock: SimulatorClock, courier: Courier
    ) -> None:
        self.apps = apps
        self.clock = clock
        self.courier = courier
        self.faults = Faults()
        self.people = People(clock)
        self.trades = Trades(clock)
        self.notices = Notices(clock=clock, trades=self.trades, courier=courier, faults=self.faults)
        courier.chores.append(self.expire)

    def pay(self, trade: Trade, *, buyer_id: str = DEFAULT_BUYER, in_flight: bool = False) -> None:
        """Let a buyer pay and tell the merchant. Raises ValueError when it cannot be paid."""
        self.expire()
        with self.trades.locked() as now:
            self.trades.pay(trade, buyer_id=buyer_id, now=now, in_flight=in_flight)
            self.notices.tell(self.apps[trade.app_id], trade)

    def hurry(self, app_id: str, *, out_trade_no: str) -> None:
        """Let the buyer pay at once and deliver the notice before anything else happens."""
        trade = self.trades.find(app_id, out_trade_no=out_trade_no)
        if trade is not None and trade.status is Status.WAIT_BUYER_PAY:
            self.pay(trade)
        self.courier.deliver_due()

    def close(self, trade: Trade) -> None:
        """Let an unpaid trade run out of time now and tell the merchant."""
        with self.trades.locked() as now:
            trade.expires_at = min(trade.expires_at, now)
        self.expire()

    def expire(self) -> None:
        """Close what has run out of time and tell the merchants."""
        with self.trades.locked() as now:
            for trade in self.trades.expired(now=now):
                self.notices.tell(self.apps[trade.app_id], trade)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One verified request: `parameters` as signed, `content` is biz_content parsed.

    `base_url` is the address the merchant reached the simulator under.
    """

    alipay: Alipay
    app: AlipayApp
    method: str
    base_url: str
    parameters: Mapping[str, str]
    content: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return a business parameter as text, empty when it is absent."""
        value = self.content.get(name, "")
        return value if isinstance(value, str) else str(value)
