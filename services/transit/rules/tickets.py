"""The life of a ticket: its states, its pick-up code, and the day until which it can be collected.

A ticket is bought on the phone and collected as a card or coin at a kiosk; one ticket row stands
for `count` equal single journeys, paid by one order and collected together.
"""

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from payments.kernel.clock import BUSINESS_ZONE
from payments.kernel.errors import Invalid
from payments.kernel.states import Machine

PICK_UP_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U.
PICK_UP_LENGTH: Final = 12  # 60 bits: not found by trying, and still three groups of four to type.
PICK_UP_GROUP: Final = 4

_CONFUSED: Final = str.maketrans({"I": "1", "L": "1", "O": "0", " ": None, "-": None})
_PICK_UP_CODE: Final = re.compile(rf"[{PICK_UP_ALPHABET}]{{{PICK_UP_LENGTH}}}", re.ASCII)


class TicketState(StrEnum):
    """Where a ticket stands."""

    ORDERED = "ordered"
    PAID = "paid"
    COLLECTED = "collected"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    LAPSED = "lapsed"


class TicketEvent(StrEnum):
    """What can happen to a ticket."""

    PAY = "pay"
    CLOSE = "close"
    COLLECT = "collect"
    REFUND = "refund"
    RETURN = "return"
    REFUSE = "refuse"


class RefundReason(StrEnum):
    """Why the money of a paid ticket goes back."""

    ASKED = "asked"
    NOT_COLLECTED = "not-collected"


# A refund the provider refuses leaves the ticket as good as it was before it was asked for.
# A clerk may refund an order without asking the ticket first; it is worth nothing from then on.
TICKET: Final = Machine(
    "ticket",
    TicketState.ORDERED,
    MappingProxyType(
        {
            (TicketState.ORDERED, TicketEvent.PAY): TicketState.PAID,
            (TicketState.ORDERED, TicketEvent.CLOSE): TicketState.LAPSED,
            (TicketState.PAID, TicketEvent.COLLECT): TicketState.COLLECTED,
            (TicketState.PAID, TicketEvent.REFUND): TicketState.REFUNDING,
            (TicketState.REFUNDING, TicketEvent.RETURN): TicketState.REFUNDED,
            (TicketState.PAID, TicketEvent.RETURN): TicketState.REFUNDED,
            (TicketState.REFUNDING, TicketEvent.REFUSE): TicketState.PAID,
        }
    ),
)


class PickUpCodeMalformed(Invalid):
    """The text cannot be a pick-up code."""

    code = "transit-pick-up-code-malformed"
    zh = "取票码格式不正确"
    en = "This is not a pick-up code"


def sources(event: TicketEvent) -> frozenset[TicketState]:
    """Return the states in which an event can happen."""
    return frozenset(state for state, happening in TICKET.table if happening is event)


def target(event: TicketEvent) -> TicketState:
    """Return the state an event leads to, which is the same from every source."""
    (state,) = {after for (_, happening), after in TICKET.table.items() if happening is event}
    return state


def pick_up_code(random_bytes: bytes) -> str:
    """Return the pick-up code made of random bytes, five bits of each."""
    assert len(random_bytes) == PICK_UP_LENGTH, "one byte for each character"
    return "".join(PICK_UP_ALPHABET[byte & 31] for byte in random_bytes)


def read_pick_up_code(text: str) -> str:
    """Return the code a person typed: case, spaces and hyphens aside, I and L as 1, O as 0.

    Raises PickUpCodeMalformed.
    """
    code = text.upper().translate(_CONFUSED)
    if not _PICK_UP_CODE.fullmatch(code):
        raise PickUpCodeMalformed
    return code


def show_pick_up_code(code: str) -> str:
    """Return the code in groups, as a person reads it."""
    groups = range(0, PICK_UP_LENGTH, PICK_UP_GROUP)
    return "-".join(code[start : start + PICK_UP_GROUP] for start in groups)


def service_day(moment: datetime, *, starts_minutes: int) -> date:
    """Return the service day of a moment: it begins `starts_minutes` after midnight in Shanghai."""
    return (moment.astimezone(BUSINESS_ZONE) - timedelta(minutes=starts_minutes)).date()


def collect_until(ordered_at: datetime, *, starts_minutes: int, service_days: int) -> datetime:
    """Return the moment from which a ticket can no longer be collected.

    It is the end of the service day that comes `service_days` after the one of the purchase.
    """
    last = service_day(ordered_at, starts_minutes=starts_minutes) + timedelta(days=service_days)
    end = datetime.combine(last + timedelta(days=1), time(), BUSINESS_ZONE)
    return (end + timedelta(minutes=starts_minutes)).astimezone(ordered_at.tzinfo)
