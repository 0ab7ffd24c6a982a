"""The simulator's clock: the machine's time, moved by an offset file, with a scale for waiting.

The file holds a whole number of seconds and is shared with the platform, so that a demonstration
can live a day in a minute. The scale divides the gaps of the notice schedule and nothing else.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
WIRE_FORMAT = "%Y-%m-%d %H:%M:%S"


class SimulatorClock:
    """Tells the simulated time. `scale` 60 makes the four minutes before a retry four seconds."""

    def __init__(self, offset_file: Path | None = None, *, scale: int = 1) -> None:
        if scale < 1:
            raise ValueError("the scale is a whole number of at least 1")
        self._offset_file = offset_file
        self._scale = scale

    def now(self) -> datetime:
        """Return the simulated moment, aware, in UTC."""
        return datetime.now(UTC) + self._offset()

    def gap(self, step: timedelta) -> timedelta:
        """Return how long a scheduled gap lasts here."""
        return step / self._scale

    def _offset(self) -> timedelta:
        if self._offset_file is None or not self._offset_file.exists():
            return timedelta(0)
        return timedelta(seconds=int(self._offset_file.read_text("ascii")))


class ManualClock(SimulatorClock):
    """A simulated time that moves only when told to; for tests."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment

    def advance(self, step: timedelta) -> None:
        """Move forward by `step`."""
        self._moment += step


def wire_time(moment: datetime) -> str:
    """Return a moment as Alipay writes it: Beijing time to the second."""
    return moment.astimezone(BEIJING).strftime(WIRE_FORMAT)


def moment_of(text: str) -> datetime:
    """Return the moment a wire time names. Raises ValueError."""
    return datetime.strptime(text, WIRE_FORMAT).replace(tzinfo=BEIJING).astimezone(UTC)
