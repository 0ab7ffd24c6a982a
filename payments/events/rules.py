"""When a fact is told again after a handler failed. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

BATCH_SIZE: Final = 100
RETRY_AFTER: Final[Sequence[timedelta]] = (
    timedelta(seconds=1),
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
REASON_LENGTH: Final = 300
CHANNEL: Final = "facts"  # PostgreSQL's NOTIFY channel; it only wakes the drain.


def due_again(*, tries: int, now: datetime) -> datetime | None:
    """Return when to tell it again after the given number of failures; None: park it."""
    return now + RETRY_AFTER[tries - 1] if tries <= len(RETRY_AFTER) else None
