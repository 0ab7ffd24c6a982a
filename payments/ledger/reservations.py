"""Reservations as values: an amount held for a journal that is not yet certain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from payments.kernel.ids import BookId
from payments.ledger.journals import changes_of
from payments.ledger.rules import ReservationState
from payments.ledger.templates import Line


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """A journal in waiting: until `expires_at` it can be posted, wholly or in part, or voided.

    It is in no balance; where an account has a bound, what would leave it is out of reach.
    `journal_id` names the journal it became.
    """

    book_id: BookId
    reservation_id: str
    reference: str
    template: str
    template_version: int
    currency: str
    effective_at: datetime
    reserved_at: datetime
    expires_at: datetime
    state: ReservationState
    settled_at: datetime | None
    journal_id: str | None
    metadata: Mapping[str, str]
    content_hash: bytes
    lines: tuple[Line, ...]

    @property
    def changes(self) -> Mapping[str, int]:
        """What posting all of it would change, by account, in its normal direction."""
        return changes_of(self.lines)
