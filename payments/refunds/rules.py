"""What a refund may become, what a provider's report means for it, and when to ask again."""

from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from payments.kernel.states import Machine
from payments.providers.interface import Outcome


class RefundState(StrEnum):
    """Where a refund stands. Its money is reserved until it has succeeded or failed."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


class RefundEvent(StrEnum):
    """What happens to a refund, and what we hear of it."""

    APPROVE = "approve"
    REFUSE = "refuse"
    SEND = "send"
    SILENCE = "silence"
    WAIT = "wait"
    FAIL = "fail"
    SUCCEED = "succeed"


# The edge from failed to succeeded corrects us to match the provider.
REFUND: Final = Machine(
    "refund",
    RefundState.REQUESTED,
    MappingProxyType(
        {
            (RefundState.REQUESTED, RefundEvent.APPROVE): RefundState.APPROVED,
            (RefundState.REQUESTED, RefundEvent.REFUSE): RefundState.FAILED,
            (RefundState.APPROVED, RefundEvent.SEND): RefundState.SENT,
            (RefundState.SENT, RefundEvent.SEND): RefundState.SENT,
            (RefundState.SENT, RefundEvent.SILENCE): RefundState.UNKNOWN,
            (RefundState.SENT, RefundEvent.WAIT): RefundState.SENT,
            (RefundState.SENT, RefundEvent.FAIL): RefundState.FAILED,
            (RefundState.SENT, RefundEvent.SUCCEED): RefundState.SUCCEEDED,
            (RefundState.UNKNOWN, RefundEvent.SEND): RefundState.UNKNOWN,
            (RefundState.UNKNOWN, RefundEvent.SILENCE): RefundState.UNKNOWN,
            (RefundState.UNKNOWN, RefundEvent.WAIT): RefundState.SENT,
            (RefundState.UNKNOWN, RefundEvent.FAIL): RefundState.FAILED,
            (RefundState.UNKNOWN, RefundEvent.SUCCEED): RefundState.SUCCEEDED,
            (RefundState.FAILED, RefundEvent.SILENCE): RefundState.FAILED,
            (RefundState.FAILED, RefundEvent.WAIT): RefundState.FAILED,
            (RefundState.FAILED, RefundEvent.FAIL): RefundState.FAILED,
            (RefundState.FAILED, RefundEvent.SUCCEED): RefundState.SUCCEEDED,
            (RefundState.SUCCEEDED, RefundEvent.SILENCE): RefundState.SUCCEEDED,
            (RefundState.SUCCEEDED, RefundEvent.WAIT): RefundState.SUCCEEDED,
            (RefundState.SUCCEEDED, RefundEvent.FAIL): RefundState.SUCCEEDED,
            (RefundState.SUCCEEDED, RefundEvent.SUCCEED): RefundState.SUCCEEDED,
        }
    ),
)

FINAL: Final = frozenset({RefundState.FAILED, RefundState.SUCCEEDED})

HEARD_IN_REPORT: Final = MappingProxyType(
    {
        Outcome.PENDING: RefundEvent.WAIT,
        Outcome.SUCCEEDED: RefundEvent.SUCCEED,
        Outcome.FAILED: RefundEvent.FAIL,
        Outcome.CLOSED: RefundEvent.FAIL,
        Outcome.NOT_FOUND: RefundEvent.SILENCE,
        Outcome.UNKNOWN: RefundEvent.SILENCE,
    }
)


class Origin(StrEnum):
    """Whose money is returned: the paid order's, or a surplus that sits in suspense."""

    ORDER = "order"
    SUSPENSE = "suspense"


# Providers want at least ten seconds between a refund and the first question about it.
QUERY_DELAYS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600)
)
CLAIM: Final = timedelta(seconds=60)  # Longer than a question and a repeated refund can take.
CHANNEL: Final = "refunds"  # PostgreSQL's NOTIFY channel; it only wakes the sweep.
REFERENCE_LENGTH: Final = 128
REASON_LENGTH: Final = 200


def next_try_at(tries: int, now: datetime) -> datetime:
    """Return when to ask again, after the refund was taken up `tries` times."""
    return now + QUERY_DELAYS[min(max(tries, 1), len(QUERY_DELAYS)) - 1]
