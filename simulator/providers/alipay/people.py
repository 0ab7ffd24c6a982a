"""Who is who at Alipay: authorisation codes that a person's app hands to a mini program."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.clock import SimulatorClock

CODE_LIFE = timedelta(minutes=5)
CODE_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Authorisation:
    """A person's consent that an application may know who they are."""

    app_id: str
    buyer_id: str
    expires_at: datetime


class People:
    """The codes handed out and not used yet; a code is good once, for a few minutes."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, Authorisation] = {}

    def authorise(self, *, app_id: str, buyer_id: str) -> str:
        """Hand out a code for a person in an application."""
        code = secrets.token_hex(CODE_BYTES)
        with self._lock:
            self._codes[code] = Authorisation(
                app_id=app_id, buyer_id=buyer_id, expires_at=self._clock.now() + CODE_LIFE
            )
        return code

    def redeem(self, code: str, *, app_id: str) -> str | None:
        """Use a code up and return whose it is; None when it is no good, or another app's."""
        with self._lock:
            found = self._codes.get(code)
            if found is None or found.app_id != app_id:
                return None
            del self._codes[code]
        return found.buyer_id if self._clock.now() < found.expires_at else None
