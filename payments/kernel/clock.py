"""The only module that reads the clock. Storage is UTC; business dates are Shanghai's."""

import time as machine
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final, Protocol
from zoneinfo import ZoneInfo

BUSINESS_ZONE: Final = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time; every flow is handed one."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to; for tests."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment

    def advance(self, step: timedelta) -> None:
        """Move forward by `step`."""
        self._moment += step


class ClockFileUnreadable(RuntimeError):
    """The file that moves the clock is missing or holds no number; the sentence says which."""


class OffsetClock:
    """The machine's clock plus the seconds written in a file; lets a demonstration live a day.

    The file is shared by web, worker and simulator, and is replaced in one step, never rewritten.
    Refused in production by the settings. Raises ClockFileUnreadable.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        try:
            return datetime.now(UTC) + timedelta(seconds=int(self._path.read_text("ascii")))
        except (OSError, ValueError, OverflowError) as error:
            raise ClockFileUnreadable(
                f"{self._path} must hold a whole number of seconds by which to move the clock,"
                f" such as 0 ({type(error).__name__})"
            ) from error


def business_date(moment: datetime) -> date:
    """Return the Shanghai calendar date of an aware moment."""
    return moment.astimezone(BUSINESS_ZONE).date()


def start_of_business_date(day: date) -> datetime:
    """Return the UTC moment at which a Shanghai calendar date begins."""
    return datetime.combine(day, time(), BUSINESS_ZONE).astimezone(UTC)


def unix_milliseconds() -> int:
    """Return the machine's time in milliseconds, for the sortable part of an id."""
    return machine.time_ns() // 1_000_000


def monotonic_seconds() -> float:
    """Return seconds that never go backwards, for measuring how long something takes."""
    return machine.monotonic()
