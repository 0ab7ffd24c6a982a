"""What a notice may become, how much of one is kept, and when applying it is tried again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from payments.kernel.states import Machine
from payments.providers.interface import Report


class NoticeState(StrEnum):
    """Where a notice stands. A parked one waits for a person."""

    RECEIVED = "received"
    APPLIED = "applied"
    REJECTED = "rejected"
    PARKED = "parked"


class NoticeEvent(StrEnum):
    """What happens to a notice."""

    APPLY = "apply"
    REJECT = "reject"
    PARK = "park"
    REPLAY = "replay"


# A notice may be replayed whatever became of it: what it says takes effect once.
NOTICE: Final = Machine(
    "notice",
    NoticeState.RECEIVED,
    MappingProxyType(
        {
            (NoticeState.RECEIVED, NoticeEvent.APPLY): NoticeState.APPLIED,
            (NoticeState.RECEIVED, NoticeEvent.REJECT): NoticeState.REJECTED,
            (NoticeState.RECEIVED, NoticeEvent.PARK): NoticeState.PARKED,
            (NoticeState.RECEIVED, NoticeEvent.REPLAY): NoticeState.RECEIVED,
            (NoticeState.APPLIED, NoticeEvent.REPLAY): NoticeState.RECEIVED,
            (NoticeState.REJECTED, NoticeEvent.REPLAY): NoticeState.RECEIVED,
            (NoticeState.PARKED, NoticeEvent.REPLAY): NoticeState.RECEIVED,
        }
    ),
)

CHANNEL: Final = "notices"  # PostgreSQL's NOTIFY channel; it only wakes the worker.
BODY_BYTES: Final = 32 * 1024  # The longest true notices are a tenth of this.
HEADERS: Final = 64
HEADER_CHARACTERS: Final = 1_024
REASON_LENGTH: Final = 200
TEXT_LENGTH: Final = 128
UNVERIFIED_GRACE: Final = timedelta(minutes=1)  # Then whoever was verifying it has died.
REJECTED_KEPT: Final = timedelta(days=7)  # Long enough to mend a key and replay.
RETRY_DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (1, 10, 60, 600, 3_600, 21_600)
)
PRIVATE_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


def next_try_at(tries: int, now: datetime) -> datetime | None:
    """Return when to apply again after `tries` failures; None when a person has to look."""
    return now + RETRY_DELAYS[tries - 1] if tries <= len(RETRY_DELAYS) else None


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are stored: few, short, and none that identify a session."""
    kept = [name for name in headers if name.lower() not in PRIVATE_HEADERS][:HEADERS]
    return {
        storable(name, HEADER_CHARACTERS): storable(headers[name], HEADER_CHARACTERS)
        for name in kept
    }


def effect(report: Report | None) -> str:
    """Return what a notice brings about; one id with two effects is two notices."""
    if report is None:
        return ""
    return storable(f"{report.number}/{report.refund_number or ''}/{report.outcome}", TEXT_LENGTH)


def storable(text: str, length: int) -> str:
    """Return text as PostgreSQL can hold it: bounded, no NUL, no lone surrogates."""
    return text[:length].replace("\0", "�").encode("utf-8", "replace").decode("utf-8")
