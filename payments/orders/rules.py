"""What an order and an attempt may become, what a provider's report means, and when to ask again.

The attempt's states are ranked, and every report moves an attempt up to the higher of what it was
and what the report says. So reports may come twice and in any order, and the end is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from payments.kernel.states import Machine
from payments.providers.interface import Outcome, Report


class OrderState(StrEnum):
    """Where an order stands. How much of a paid order was returned is an amount, not a state."""

    OPEN = "open"
    PAID = "paid"
    CLOSED = "closed"


class OrderEvent(StrEnum):
    """What happens to an order."""

    PAY = "pay"
    CLOSE = "close"


# A payment of an order that is not open changes no state: it goes to suspense and back.
ORDER: Final = Machine(
    "order",
    OrderState.OPEN,
    MappingProxyType(
        {
            (OrderState.OPEN, OrderEvent.PAY): OrderState.PAID,
            (OrderState.OPEN, OrderEvent.CLOSE): OrderState.CLOSED,
            (OrderState.PAID, OrderEvent.PAY): OrderState.PAID,
            (OrderState.CLOSED, OrderEvent.PAY): OrderState.CLOSED,
        }
    ),
)


class AttemptState(StrEnum):
    """Where one attempt stands, lowest rank first; a success is above everything."""

    STARTED = "started"
    UNKNOWN = "unknown"
    PENDING = "pending"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"


class AttemptEvent(StrEnum):
    """What we hear of an attempt."""

    SILENCE = "silence"
    WAIT = "wait"
    FAIL = "fail"
    CLOSE = "close"
    SUCCEED = "succeed"


RANK: Final = tuple(AttemptState)
_LEADS_TO: Final = MappingProxyType(
    {
        AttemptEvent.SILENCE: AttemptState.UNKNOWN,
        AttemptEvent.WAIT: AttemptState.PENDING,
        AttemptEvent.FAIL: AttemptState.FAILED,
        AttemptEvent.CLOSE: AttemptState.CANCELLED,
        AttemptEvent.SUCCEED: AttemptState.SUCCEEDED,
    }
)

# Edges from failed and cancelled to succeeded correct us to match the provider.
ATTEMPT: Final = Machine(
    "attempt",
    AttemptState.STARTED,
    MappingProxyType(
        {
            (state, event): max(state, target, key=RANK.index)
            for state in AttemptState
            for event, target in _LEADS_TO.items()
        }
    ),
)

LIVE: Final = frozenset({AttemptState.STARTED, AttemptState.UNKNOWN, AttemptState.PENDING})

HEARD_IN_REPORT: Final = MappingProxyType(
    {
        Outcome.PENDING: AttemptEvent.WAIT,
        Outcome.SUCCEEDED: AttemptEvent.SUCCEED,
        Outcome.FAILED: AttemptEvent.FAIL,
        Outcome.CLOSED: AttemptEvent.CLOSE,
        Outcome.NOT_FOUND: AttemptEvent.SILENCE,
        Outcome.UNKNOWN: AttemptEvent.SILENCE,
    }
)


class Surplus(StrEnum):
    """Why a payment belongs to nobody's order: it came second, or after the order was closed."""

    SECOND = "second"
    LATE = "late"


class CloseReason(StrEnum):
    """Why an order was closed."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Effect(StrEnum):
    """What a provider's report did to our books."""

    PAID = "paid"
    SURPLUS = "surplus"
    MOVED = "moved"
    NOTHING = "nothing"
    MISMATCH = "mismatch"
    UNKNOWN_NUMBER = "unknown-number"


class CaseKind(StrEnum):
    """Which fact of a report does not fit our record."""

    NUMBER = "number"
    ACCOUNT = "account"
    AMOUNT = "amount"
    CURRENCY = "currency"
    APP = "app"
    SELLER = "seller"
    UNKNOWN_NUMBER = "unknown-number"
    UNKNOWN_REFUND = "unknown-refund"
    REFUND_FAILED = "refund-failed"
    REFUND_EXCEEDS = "refund-exceeds"


# How long to wait before asking about a silent attempt for the first, second, … time; the last
# interval repeats until the provider speaks. Longer than a start can take, then ever slower.
QUERY_DELAYS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600)
)
START_GRACE: Final = timedelta(seconds=30)  # An unanswered start may still be under way.
CLAIM: Final = timedelta(seconds=60)  # Longer than one call to a provider can take.
LOOK_INTERVAL: Final = timedelta(seconds=5)  # A reader makes us ask no more often than this.
CLOSE_RETRY: Final = timedelta(seconds=30)
ATTEMPTS_PER_ORDER: Final = 10
LONGEST_LIFE: Final = timedelta(days=15)  # The longest any provider keeps a payment open.
SUBJECT_LENGTH: Final = 128
METADATA_BYTES: Final = 4_096


def next_query_at(queries: int, now: datetime) -> datetime:
    """Return when to ask again, after `queries` questions have been asked."""
    return now + QUERY_DELAYS[min(queries, len(QUERY_DELAYS) - 1)]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What our own record says a report must say.

    `account_id` is the account the payment was started at; app and seller are those of the account
    that the report came through.
    """

    number: str
    account_id: str
    amount_minor: int
    currency: str
    app_id: str
    seller_id: str


def differences(
    expected: Expected, report: Report, *, account_id: str
) -> Mapping[CaseKind, Mapping[str, Any]]:
    """Return what a report says otherwise than our record, as `{kind: {expected, told}}`.

    What a provider does not say cannot differ, but the success of a payment names its amount.
    """
    amount_told = report.amount_minor
    paid = report.outcome is Outcome.SUCCEEDED and report.refund_number is None
    if amount_told is None and not paid:
        amount_told = expected.amount_minor
    told = {
        CaseKind.NUMBER: (expected.number, report.number),
        CaseKind.ACCOUNT: (expected.account_id, account_id),
        CaseKind.AMOUNT: (expected.amount_minor, amount_told),
        CaseKind.CURRENCY: (expected.currency, report.currency or expected.currency),
        CaseKind.APP: (expected.app_id, report.app_id or expected.app_id),
        CaseKind.SELLER: (expected.seller_id, report.seller_id or expected.seller_id),
    }
    return {
        kind: {"expected": ours, "told": theirs}
        for kind, (ours, theirs) in told.items()
        if ours != theirs
    }
