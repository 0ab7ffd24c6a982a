"""A stage a provider: an account of ours, and the hands of everybody else.

Whoever adds an adapter adds a stage to STAGES, and the contract is played on it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from payments.kernel.http import HttpClient
from payments.providers.interface import Provider
from payments.providers.registry import Providers
from simulator.clock import ManualClock
from simulator.courier import Courier
from simulator.keys import ensure_alipay
from simulator.providers.alipay.faults import Fault, FaultName
from simulator.runner import Simulator

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai.
NOTIFY_URL = "http://127.0.0.1:1/callbacks"

Letter = tuple[Mapping[str, str], bytes]


class Stage(Protocol):
    """What the contract needs of a provider's other side; fault names are the simulator's."""

    account: Provider
    silent: Provider
    payer: str

    @property
    def now(self) -> datetime:
        """The moment on this stage."""

    def pay(self, number: str) -> None:
        """Let the buyer pay."""

    def expire(self, number: str) -> None:
        """Let the time of a payment run out."""

    def fault(self, name: str) -> None:
        """Make one thing go wrong."""

    def letters(self) -> list[Letter]:
        """Return the callbacks that have arrived since the last look."""

    def later(self, step: timedelta) -> None:
        """Let time pass."""


class AlipayStage:
    """The simulated Alipay over loopback HTTP, with a clock that moves only when told to."""

    payer = "2088000000000001"

    def __init__(self, simulator: Simulator, clock: ManualClock, account_id: str) -> None:
        http = HttpClient()
        accounts = Providers.load(simulator.keys, http=http, production=False)
        self.account = accounts.get(account_id)
        toml = simulator.keys / f"{account_id}.toml"
        toml.write_text(toml.read_text().replace(simulator.url, "http://127.0.0.1:1"))
        self.silent = Providers.load(simulator.keys, http=http, production=False).get(account_id)
        self.received: list[Letter] = []
        self._alipay = simulator.world.alipay
        self._clock = clock

    @property
    def now(self) -> datetime:
        return self._clock.now()

    def pay(self, number: str) -> None:
        trade = self._alipay.trades.find(self.account.app_id, out_trade_no=number)
        assert trade is not None
        self._alipay.pay(trade)

    def expire(self, number: str) -> None:
        trade = self._alipay.trades.find(self.account.app_id, out_trade_no=number)
        assert trade is not None
        self._alipay.close(trade)

    def fault(self, name: str) -> None:
        self._alipay.faults.ask(Fault(name=FaultName(name)))

    def letters(self) -> list[Letter]:
        self._alipay.courier.deliver_due()
        letters, self.received[:] = list(self.received), []
        return letters

    def later(self, step: timedelta) -> None:
        self._clock.advance(step)


@contextmanager
def alipay_stage(keys: Path, *, certificates: bool) -> Iterator[Stage]:
    """Open the simulated Alipay in public-key or in certificate mode."""
    account_id = "alipay-cert" if certificates else "alipay-main"
    ensure_alipay(keys, gateway="", account_id=account_id, certificates=certificates)
    clock = ManualClock(MORNING)
    received: list[Letter] = []

    def receive(url: str, body: bytes) -> tuple[int, bytes]:
        assert url == NOTIFY_URL
        received.append(({"Content-Type": "application/x-www-form-urlencoded"}, body))
        return 200, b"success"

    courier = Courier(clock, transport=receive)
    with Simulator(keys=keys, clock=clock, courier=courier, send_notices=False) as simulator:
        stage = AlipayStage(simulator, clock, account_id)
        stage.received = received
        yield stage


# By a name that begins with the provider's.
STAGES: dict[str, Callable[[Path], object]] = {
    "alipay with public keys": lambda keys: alipay_stage(keys, certificates=False),
    "alipay with certificates": lambda keys: alipay_stage(keys, certificates=True),
}
