"""A citizen with a phone: signs in, buys, pays at the provider's cashier, and does as they do."""

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.city.client import Client
from simulator.city.onboarding import Signer
from simulator.city.trips import Behaviour, End, Trip
from simulator.clock import SimulatorClock

TICKETS: Final = "/v1/transit/tickets"
SESSIONS: Final = "/v1/identity/sessions"
TOKEN_IS_OLD: Final = timedelta(minutes=12)  # Access tokens live fifteen minutes.
PATIENCE_SECONDS: Final = 60
FIRST_LOOK_SECONDS: Final = 0.05
LONGEST_LOOK_SECONDS: Final = 0.5
KEY_BYTES: Final = 16


class OutOfPatience(Exception):
    """Nothing happened for as long as a citizen waits."""


@dataclass(kw_only=True)
class Citizen:
    """One person; does one thing at a time, as a phone does."""

    number: int
    platform: Client
    alipay: Client
    clock: SimulatorClock
    _session: Mapping[str, Any] = field(default_factory=dict)
    _signed_in_at: datetime | None = None
    _hands: threading.RLock = field(default_factory=threading.RLock)

    @property
    def buyer_id(self) -> str:
        """The provider's id of this person."""
        return f"2088{self.number:012d}"

    @property
    def authorization(self) -> str:
        """What shows the platform who is asking; signs in when that was not done lately."""
        now = self.clock.now()
        if self._signed_in_at is None or now - self._signed_in_at > TOKEN_IS_OLD:
            self._sign_in()
            self._signed_in_at = now
        return f"Bearer {self._session['access_token']}"

    def ride(self, trip: Trip, *, kiosk: Signer) -> None:
        """Buy a ticket and do what the trip's behaviour says, as far as it goes at once."""
        with self._hands:
            trip.ticket = self._buy(trip)
            trip.payments.append(self._start_payment(trip))
            if trip.behaviour in {Behaviour.NEVER_PAYS, Behaviour.PAYS_LATE}:
                return
            if trip.behaviour is Behaviour.PAYS_TWICE:
                trip.payments.append(self._start_payment(trip))
            for payment in trip.payments:
                self._confirm(payment)
            self._wait_for_code(trip)
            if trip.behaviour is Behaviour.GIVES_BACK:
                trip.ticket = self._post(f"{TICKETS}/{trip.ticket['id']}/refund")
            elif trip.behaviour is not Behaviour.FORGETS:
                kiosk.post(
                    "/v1/transit/devices/collections",
                    {"pick_up_code": trip.ticket["pick_up_code"]},
                )

    def pay_late(self, trip: Trip) -> None:
        """Let the payment go through that was in flight when the order was closed."""
        with self._hands:
            self._wait(trip, lambda ticket: ticket["state"] == End.LAPSED)
            (payment,) = trip.payments
            self._confirm(payment, in_flight=True)

    def look(self, trip: Trip) -> None:
        """See what became of a ticket."""
        with self._hands:
            trip.ticket = self.platform.get(
                f"{TICKETS}/{trip.ticket['id']}", headers=self._headers()
            )

    def _buy(self, trip: Trip) -> Mapping[str, Any]:
        journey = trip.journey
        return self._post(
            TICKETS,
            {"from": journey.from_station, "to": journey.to_station, "count": trip.count},
        )

    def _start_payment(self, trip: Trip) -> str:
        payment = self._post(
            f"/v1/cashier/orders/{trip.ticket['order_id']}/payments",
            {"provider": "alipay", "scene": "mini_program", "payer": self.buyer_id},
        )
        return str(payment["client"]["trade_no"])

    def _confirm(self, payment: str, *, in_flight: bool = False) -> None:
        """Enter the password in the provider's app."""
        self.alipay.post(
            f"/control/alipay/trades/{payment}/pay",
            {"buyer_id": self.buyer_id, "in_flight": in_flight},
        )

    def _wait_for_code(self, trip: Trip) -> None:
        self._wait(trip, lambda ticket: ticket["pick_up_code"] is not None)

    def _wait(self, trip: Trip, happened: Any) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        pause = FIRST_LOOK_SECONDS
        while True:
            self.look(trip)
            if happened(trip.ticket):
                return
            if time.monotonic() > deadline:
                raise OutOfPatience(f"{trip.ticket['id']} is still {trip.ticket['state']}")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)

    def _post(self, path: str, content: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        key = {"Idempotency-Key": secrets.token_hex(KEY_BYTES)}
        answer: Mapping[str, Any] = self.platform.post(
            path, content, headers={**self._headers(), **key}
        )
        return answer

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self.authorization}

    def _sign_in(self) -> None:
        """Sign in with a code the provider's app hands out, or renew the session there is."""
        key = {"Idempotency-Key": secrets.token_hex(KEY_BYTES)}
        if self._session:
            renewal = {"refresh_token": self._session["refresh_token"]}
            self._session = self.platform.post(f"{SESSIONS}/refresh", renewal, headers=key)
            return
        code = self.alipay.post("/control/alipay/codes", {"buyer_id": self.buyer_id})
        asked = {"provider": "alipay", "code": code["auth_code"]}
        self._session = self.platform.post(SESSIONS, asked, headers=key)
