"""The platform kept up for trying by hand: addresses, the docs page, ready-made sign-ins."""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.city.books import yuan
from simulator.city.citizens import Citizen
from simulator.city.merchant import MerchantServer
from simulator.city.onboarding import metro_company
from simulator.city.processes import check_free
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
        check_free(
            {
                "--port": self.ports.web,
                "--simulator-port": self.ports.simulator,
                "--merchant-port": self.ports.merchant,
            }
        )
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
            with suppress(KeyboardInterrupt):
                while True:
                    stage.check()
                    time.sleep(CHECK_SECONDS)
            self.screen.say("\nStopping; the data stay in " + str(self.directory))

    def _introduce(self, stage: Stage, password: str, citizens: Sequence[Citizen]) -> None:
        web, simulator = stage.platform.url, stage.alipay.url
        tickets, cashier = f"{web}/v1/transit/tickets", f"{web}/v1/cashier/orders"
        rows = [
            ("API documentation", f"{web}/docs"),
            ("what the city offers", f"{web}/v1/catalogue"),
            ("a fare and its reasons", f"'{web}/v1/transit/fares?from=5&to=16'"),
            ("the provider's cashier", f"{simulator}/alipay/cashier/TRADE_NO"),
            ("the books", ".venv/bin/flask export day --date DATE --out FOLDER"),
            ("logs", str(self.directory / "logs")),
        ]
        self.screen.table("Qiantang is running; Ctrl-C stops it.", rows)
        self.screen.say("\nTwo citizens are signed in for fifteen minutes; buy a ticket as one:")
        for citizen in citizens:
            self._offer(tickets, {"from": "5", "to": "16"}, citizen.authorization)
        first = citizens[0]
        self.screen.say("\nPay for it, with the order_id and then the trade_no you were answered:")
        way = {"provider": "alipay", "scene": "mini_program", "payer": first.buyer_id}
        self._offer(f"{cashier}/ORDER_ID/payments", way, first.authorization)
        self.screen.say(f"\ncurl -X POST {simulator}/alipay/cashier/TRADE_NO")
        self.screen.say("\nSee the pick-up code, and collect the ticket at a kiosk:")
        self.screen.say(f"\ncurl {tickets} -H 'Authorization: {first.authorization}'")
        self.screen.say("\n.venv/bin/python -m simulator.city collect PICK_UP_CODE")
        self.screen.say("\nSign in a finance clerk:")
        self._offer(f"{web}/v1/identity/staff-sessions", {"username": CLERK, "password": password})
        self.screen.say("\nThe metro company hears:")

    def _offer(self, url: str, body: Mapping[str, str], authorization: str | None = None) -> None:
        """Show a request as a line for the shell, with a key that no earlier run has used."""
        headers = ["Content-Type: application/json", f"Idempotency-Key: {secrets.token_hex(8)}"]
        if authorization is not None:
            headers.append(f"Authorization: {authorization}")
        named = " ".join(f"-H '{header}'" for header in headers)
        self.screen.say(f"\ncurl {url} {named} -d '{json.dumps(body)}'")

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
