"""Codes of `wx.login`, by which a mini program may learn who its user is."""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.clock import SimulatorClock

CODE_LIFE = timedelta(minutes=5)
CODE_BYTES = 16

UNKNOWN = 40029  # Also what is too old, or another app's.
USED = 40163


class SignInRefused(Exception):
    """WeChat says no, with one of its `errcode`s."""

    def __init__(self, errcode: int) -> None:
        super().__init__(errcode)
        self.errcode = errcode


@dataclass(kw_only=True)
class LoginCode:
    """A person's consent that one mini program may know who they are."""

    app_id: str
    person: str
    expires_at: datetime
    used: bool = False


class LoginCodes:
    """The codes handed out; one that was used is remembered, because WeChat says so."""

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._codes: dict[str, LoginCode] = {}

    def issue(self, *, app_id: str, person: str) -> str:
        """Hand out a code for a person in a mini program."""
        code = secrets.token_hex(CODE_BYTES)
        with self._lock:
            self._codes[code] = LoginCode(
                app_id=app_id, person=person, expires_at=self._clock.now() + CODE_LIFE
            )
        return code

    def take(self, code: str, *, app_id: str) -> str:
        """Use a code up and return whose it is. Raises SignInRefused."""
        with self._lock:
            known = self._codes.get(code)
            if known is None or known.app_id != app_id:
                raise SignInRefused(UNKNOWN)
            if known.used:
                raise SignInRefused(USED)
            if known.expires_at <= self._clock.now():
                raise SignInRefused(UNKNOWN)
            known.used = True
            return known.person
