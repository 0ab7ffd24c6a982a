"""Delivers notices on Alipay's published schedule until the merchant answers exactly `success`."""

import heapq
import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from simulator.clock import SimulatorClock

GAPS = (
    timedelta(minutes=4),
    timedelta(minutes=10),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=15),
)
ACCEPTED = b"success"
TIMEOUT_SECONDS = 10
LARGEST_ANSWER_BYTES = 4096
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST_NAP_SECONDS = 0.2  # The offset file can move the clock while a courier sleeps.

Transport = Callable[[str, bytes], tuple[int, bytes]]


@dataclass(order=True)
class Parcel:
    """A notice on its way. `first_body` is what the first send carries when a fault spoils it."""

    due: datetime
    sequence: int
    url: str = field(compare=False)
    body: bytes = field(compare=False)
    notify_id: str = field(compare=False)
    about: str = field(compare=False)
    first_body: bytes | None = field(default=None, compare=False)
    sends: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One send and what came of it. `status` 0 means that nobody answered."""

    happened_at: datetime
    url: str
    notify_id: str
    about: str
    send: int
    status: int
    answer: str
    accepted: bool
    next_at: datetime | None


class Courier:
    """Keeps the parcels; sends them when told to, or by itself once started."""

    def __init__(self, clock: SimulatorClock, *, transport: Transport | None = None) -> None:
        self.deliveries: list[Delivery] = []
        self.chores: list[Callable[[], None]] = []
        self._clock = clock
        self._transport = transport or post
        self._parcels: list[Parcel] = []
        self._changed = threading.Condition()
        self._sequence = 0
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def queue(
        self,
        url: str,
        body: bytes,
        *,
        notify_id: str,
        about: str,
        delay: timedelta = timedelta(0),
        first_body: bytes | None = None,
    ) -> None:
        """Accept a notice for delivery, now or after a scheduled delay."""
        with self._changed:
            self._sequence += 1
            parcel = Parcel(
                due=self._clock.now() + self._clock.gap(delay),
                sequence=self._sequence,
                url=url,
                body=body,
                notify_id=notify_id,
                about=about,
                first_body=first_body,
            )
            heapq.heappush(self._parcels, parcel)
            self._changed.notify()

    def waiting(self) -> list[Parcel]:
        """Return what is still to be sent, soonest first."""
        with self._changed:
            return sorted(self._parcels)

    def deliver_due(self) -> int:
        """Do the chores, send everything that is due and return how many sends that was."""
        for chore in self.chores:
            chore()
        sent = 0
        while (parcel := self._next_due()) is not None:
            self._send(parcel)
            sent += 1
        return sent

    def start(self, *, threads: int = 2) -> None:
        """Send by itself from now on."""
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"courier-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop sending by itself; what is waiting stays."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _next_due(self) -> Parcel | None:
        with self._changed:
            if self._parcels and self._parcels[0].due <= self._clock.now():
                return heapq.heappop(self._parcels)
        return None

    def _work(self) -> None:
        while not self._stopping:
            if self.deliver_due():
                continue
            with self._changed:
                if not self._stopping:
                    self._changed.wait(self._nap())

    def _nap(self) -> float:
        if not self._parcels:
            return LONGEST_NAP_SECONDS
        left = (self._parcels[0].due - self._clock.now()).total_seconds()
        return max(0.0, min(left, LONGEST_NAP_SECONDS))

    def _send(self, parcel: Parcel) -> None:
        first = parcel.sends == 0 and parcel.first_body is not None
        status, answer = self._transport(
            parcel.url, parcel.first_body or b"" if first else parcel.body
        )
        parcel.sends += 1
        accepted = status == http.client.OK and answer == ACCEPTED
        next_at = None
        if not accepted and parcel.sends <= len(GAPS):
            next_at = self._clock.now() + self._clock.gap(GAPS[parcel.sends - 1])
            parcel.due = next_at
        with self._changed:
            self.deliveries.append(
                Delivery(
                    happened_at=self._clock.now(),
                    url=parcel.url,
                    notify_id=parcel.notify_id,
                    about=parcel.about,
                    send=parcel.sends,
                    status=status,
                    answer=answer.decode("utf-8", "replace")[:200],
                    accepted=accepted,
                    next_at=next_at,
                )
            )
            if next_at is not None:
                heapq.heappush(self._parcels, parcel)
                self._changed.notify()


def post(url: str, body: bytes) -> tuple[int, bytes]:
    """Send a form to a merchant on this machine; status 0 when nobody answered.

    The simulator never leaves the machine: another host is refused.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return 0, b"refused: the simulator sends to http on loopback only"
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS
    )
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    content_type = "application/x-www-form-urlencoded; charset=utf-8"
    try:
        connection.request("POST", path, body=body, headers={"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read(LARGEST_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as failure:
        return 0, f"no answer: {type(failure).__name__}".encode()
    finally:
        connection.close()
