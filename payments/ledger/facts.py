"""What the ledger says to itself: money that must also be written into another book."""

from dataclasses import dataclass
from datetime import datetime

from payments.events.facts import Fact
from payments.kernel.ids import BookId


@dataclass(frozen=True, kw_only=True)
class InterBookTransfer(Fact):
    """One book has written its side of a transfer; `other_book_id` has still to write its own.

    The three tuples are the postings of the other side, one entry each.
    """

    name = "ledger.inter-book-transfer"

    journal_id: str
    reference: str
    other_book_id: BookId
    template: str
    template_version: int
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    amounts_minor: tuple[int, ...]
    currency: str
    effective_at: datetime
    metadata: dict[str, str]

    @property
    def subject(self) -> str:
        return self.journal_id

    @property
    def occurred_at(self) -> datetime:
        return self.effective_at
