"""When a delivery is tried again, and what an answer means; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from payments.kernel.states import Machine

# After the n-th failure the n-th wait; together just under three days, then the delivery is dead.
SCHEDULE: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=20),
    timedelta(hours=24),
)
SCATTER: Final = 0.15  # Waits vary by this part, so that a healed endpoint is not stormed.
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
LONG_FAILURE: Final = timedelta(days=5)  # Without one success, this disables an endpoint.

# An endpoint that failed often in a row is left alone for a while, all its deliveries together.
FAILURES_BEFORE_HOLD: Final = 5
SHORTEST_HOLD: Final = timedelta(seconds=10)
LONGEST_HOLD: Final = timedelta(minutes=1)

MOST_AT_ONCE: Final = 8  # Deliveries to one endpoint under way at the same time, per process.

CHANNEL: Final = "webhooks"  # PostgreSQL's NOTIFY channel; it only wakes the sender.

GONE: Final = 410
ASK_TO_WAIT: Final = frozenset({429, 503})


class DeliveryState(StrEnum):
    """One event on its way to one endpoint."""

    DUE = "due"
    DELIVERED = "delivered"
    DEAD = "dead"


class DeliveryEvent(StrEnum):
    """What can happen to a delivery."""

    SUCCEED = "succeed"
    GIVE_UP = "give_up"
    REPLAY = "replay"


DELIVERY: Final = Machine(
    name="delivery",
    initial=DeliveryState.DUE,
    table={
        (DeliveryState.DUE, DeliveryEvent.SUCCEED): DeliveryState.DELIVERED,
        (DeliveryState.DUE, DeliveryEvent.GIVE_UP): DeliveryState.DEAD,
        (DeliveryState.DUE, DeliveryEvent.REPLAY): DeliveryState.DUE,
        (DeliveryState.DELIVERED, DeliveryEvent.REPLAY): DeliveryState.DUE,
        (DeliveryState.DEAD, DeliveryEvent.REPLAY): DeliveryState.DUE,
    },
)


class Lane(StrEnum):
    """Endpoints that failed last time are tried in a lane of their own, so they delay nobody."""

    HEALTHY = "healthy"
    FAILING = "failing"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came of one attempt. `status` is None when no answer came; `reason` then says why."""

    status: int | None
    reason: str = ""
    retry_after: timedelta | None = None
    excerpt: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the endpoint took the event: any 2xx; a redirect is a failure like any other."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  HTTP's classes

    @property
    def gone(self) -> bool:
        """Whether the endpoint asks never to be called again."""
        return self.status == GONE


def due_again(
    *, failures: int, now: datetime, scatter: float, retry_after: timedelta | None
) -> datetime | None:
    """Return when to try again after so many failures, or None to give up.

    `scatter` is a random number from -1 to 1. What the endpoint asked for counts when it is later.
    """
    if failures > len(SCHEDULE):
        return None
    wait = SCHEDULE[failures - 1] * (1 + SCATTER * scatter)
    return now + max(wait, retry_after or timedelta())


def hold(*, failures: int, retry_after: timedelta | None) -> timedelta:
    """Return how long to leave an endpoint alone after so many failures in a row."""
    doubled = failures - FAILURES_BEFORE_HOLD
    own = min(SHORTEST_HOLD * 2 ** min(doubled, 8), LONGEST_HOLD) if doubled >= 0 else timedelta()
    return max(own, retry_after or timedelta())


def at_once(*, streak: int) -> int:
    """Return how many deliveries may be under way to an endpoint.

    `streak` counts successes in a row, or failures as a negative number: an endpoint has to answer
    before it is trusted with several, so one that hangs ties up one connection only.
    """
    return max(1, min(1 + streak, MOST_AT_ONCE))


def retry_after(headers: Mapping[str, str], *, status: int, now: datetime) -> timedelta | None:
    """Return the wait a 429 or 503 asks for (RFC 9110, 10.2.3), bounded; None when it does not."""
    text = headers.get("Retry-After", "").strip()
    if status not in ASK_TO_WAIT or not text:
        return None
    if text.isascii() and text.isdigit():
        wait = timedelta(seconds=int(text[:9]))
    else:
        try:
            wait = parsedate_to_datetime(text) - now
        except (ValueError, TypeError):
            return None
    return min(max(wait, timedelta()), LONGEST_RETRY_AFTER)
