"""Carries callbacks to their endpoints in threads of its own, outside any transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from payments.kernel.clock import monotonic_seconds
from payments.kernel.http import GuardedHttpClient, HttpFailure
from payments.webhooks import rules
from payments.webhooks.operations import Claimed
from payments.webhooks.rules import Answered, Lane

THREADS: Final[Mapping[Lane, int]] = {Lane.HEALTHY: 64, Lane.FAILING: 16}
ANSWER_BYTES: Final = 64 * 1024
EXCERPT_CHARACTERS: Final = 500


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long one attempt may take, in seconds: to connect, in silence, and all together."""

    connect: float
    read: float
    deadline: float


PATIENCE: Final = Patience(connect=3.0, read=10.0, deadline=15.0)


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A claimed delivery, signed and ready to go."""

    claimed: Claimed
    headers: Mapping[str, str]
    body: bytes
    sent_at: datetime


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A parcel that came to something."""

    claimed: Claimed
    answered: Answered
    duration_ms: int


class Courier:
    """A bounded number of threads per lane, so that failing endpoints delay no healthy one.

    Used from one thread; only the sending itself happens in others.
    """

    def __init__(self, http: GuardedHttpClient, *, patience: Patience = PATIENCE) -> None:
        self._http = http
        self._patience = patience
        self._threads = ThreadPoolExecutor(sum(THREADS.values()), thread_name_prefix="courier")
        self._under_way: dict[Future[Carried], Claimed] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for what is under way; what came of it is lost and will be tried again."""
        self._threads.shutdown()

    def room(self) -> Mapping[Lane, int]:
        """Return how many more parcels of each lane can go at once."""
        busy = Counter(claimed.lane for claimed in self._sending())
        return {lane: threads - busy[lane] for lane, threads in THREADS.items()}

    def under_way(self) -> Mapping[str, int]:
        """Return how many parcels are under way to each endpoint."""
        return Counter(claimed.endpoint_id for claimed in self._sending())

    def send(self, parcel: Parcel) -> None:
        """Send a parcel on its way."""
        self._under_way[self._threads.submit(self._carry, parcel)] = parcel.claimed

    def arrived(self, *, wait_seconds: float) -> list[Carried]:
        """Return what came to something, waiting for the first one if need be.

        The same again each time, until it is dismissed.
        """
        if not self._under_way:
            return []
        done, _ = wait(self._under_way, timeout=wait_seconds, return_when=FIRST_COMPLETED)
        return [future.result() for future in done]

    def dismiss(self, carried: Sequence[Carried]) -> None:
        """Forget what came to something, now that it is recorded."""
        recorded = {(one.claimed.delivery_id, one.claimed.number) for one in carried}
        self._under_way = {
            future: claimed
            for future, claimed in self._under_way.items()
            if (claimed.delivery_id, claimed.number) not in recorded
        }

    @property
    def busy(self) -> bool:
        """Whether anything is under way, or waits to be recorded."""
        return bool(self._under_way)

    def _sending(self) -> list[Claimed]:
        return [claimed for future, claimed in self._under_way.items() if not future.done()]

    def _carry(self, parcel: Parcel) -> Carried:
        started = monotonic_seconds()
        try:
            answer = self._http.request(
                "POST",
                parcel.claimed.url,
                headers=parcel.headers,
                body=parcel.body,
                connect_seconds=self._patience.connect,
                read_seconds=self._patience.read,
                deadline_seconds=self._patience.deadline,
                body_limit=ANSWER_BYTES,
                cut=True,
            )
        except HttpFailure as failure:
            answered = Answered(status=None, reason=failure.detail)
        else:
            answered = Answered(
                status=answer.status,
                retry_after=rules.retry_after(
                    answer.headers, status=answer.status, now=parcel.sent_at
                ),
                excerpt=_excerpt(answer.body),
            )
        spent = round((monotonic_seconds() - started) * 1000)
        return Carried(claimed=parcel.claimed, answered=answered, duration_ms=spent)


def _excerpt(body: bytes) -> str:
    """Return the beginning of an answer as text that PostgreSQL can store."""
    text = body[: EXCERPT_CHARACTERS * 4].decode("utf-8", "replace")
    return text.replace("\x00", "\ufffd")[:EXCERPT_CHARACTERS]
