"""The platform kept up for trying by hand: addresses, the docs page, ready-made sign-ins."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.city.books import yuan
from simulator.city.citizens import Citizen
from simulator.city.merchant import MerchantServer
from simulator.city.onboarding import metro_company
from simulator.city.screen import Screen
from simulator.city.stage import Ports, Stage
from simulator.clock import SimulatorClock

KIOSKS: Final = 2
CITIZENS: Final = (101, 102)
CLERK: Final = "clerk"
CHECK_SECONDS: Final = 1


@dataclass(frozen=True, kw_only=True)
class Show:
    """Web, worker, simulator and the metro company's server, until somebody stops them."""

    directory: Path
    ports: Ports
    screen: Screen

    def run(self) -> None:
        """Start everything, say where it is, and stay until interrupted."""
        clock = SimulatorClock()
        with ExitStack() as closing:
            server = MerchantServer(
                clock=clock, port=self.ports.merchant, down_every=0, heard=self._tell
            )
            merchant = closing.enter_context(server)
            stage = Stage(self.directory, ports=self.ports)
            with self.screen.step("PostgreSQL, simulator, worker and web are running"):
                closing.enter_context(stage)
            with self.screen.step("The metro company, a clerk and two citizens are known"):
                company = metro_company(stage, clock=clock, kiosks=KIOSKS)
                merchant.secret = self._kept("callbacks", lambda: company.listen(merchant.url))
                password = self._kept("clerk", lambda: add_clerk(stage))
                citizens = [signed_in(stage, clock, number) for number in CITIZENS]
            self._introduce(stage, password, citizens)
            while True:
                stage.check()
                time.sleep(CHECK_SECONDS)

    def _introduce(self, stage: Stage, password: str, citizens: Sequence[Citizen]) -> None:
        web, simulator = stage.platform.url, stage.alipay.url
        credentials = f'{{"username": "{CLERK}", "password": "{password}"}}'
        rows = [
            ("API documentation", f"{web}/docs"),
            ("what the city offers", f"{web}/v1/catalogue"),
            ("a fare and its reasons", f"{web}/v1/transit/fares?from=5&to=16"),
            ("sign in a clerk", f"{web}/v1/identity/staff-sessions  {credentials}"),
            ("pay as a citizen", f"{simulator}/alipay/cashier/<trade_no of a payment>"),
            ("collect at a kiosk", "python -m simulator.city collect <pick-up code>"),
            ("the books", "flask export day --date <today> --out <folder>"),
            ("logs", str(self.directory / "logs")),
        ]
        self.screen.table("Qiantang is running; Ctrl-C stops it.", rows)
        self.screen.say("\nTwo citizens are signed in for fifteen minutes; buy a ticket as one:")
        for citizen in citizens:
            self.screen.say(
                f"\ncurl {web}/v1/transit/tickets -H 'Idempotency-Key: first-{citizen.number}'"
                ' -H \'Content-Type: application/json\' -d \'{"from": "5", "to": "16"}\''
                f" -H 'Authorization: {citizen.authorization}'"
            )
        self.screen.say("\nThe metro company hears:")

    def _kept(self, name: str, make: Callable[[], str]) -> str:
        """Return a secret of this stage, made the first time and kept for the next."""
        file = self.directory / "metro" / f"{name}.secret"
        if not file.exists():
            made = make()
            file.touch(mode=0o600)
            file.write_text(made, "ascii")
        return file.read_text("ascii")

    def _tell(self, event: Mapping[str, Any]) -> None:
        data = event["data"]
        amount = yuan(data.get("amount_minor", 0))
        self.screen.say(f"  {event['type']}  {amount} yuan  {data.get('order_id', '')}")


def add_clerk(stage: Stage) -> str:
    """Add a finance clerk and return the password that was made."""
    said = stage.flask("identity", "add-staff", CLERK, "--role", "finance-clerk", "--generate")
    return said.split()[-1]


def signed_in(stage: Stage, clock: SimulatorClock, number: int) -> Citizen:
    """Return a citizen who has just signed in."""
    citizen = Citizen(number=number, platform=stage.platform, alipay=stage.alipay, clock=clock)
    assert citizen.authorization
    return citizen
