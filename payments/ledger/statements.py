"""Account statements as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from payments.kernel.ids import BookId


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a page of a statement ended, and the balance there; the next page starts from it."""

    xid: str
    journal_id: str
    line: int
    balance_minor: int


@dataclass(frozen=True, kw_only=True)
class StatementLine:
    """One posting as its account sees it; `balance_minor` is in the account's normal direction."""

    journal_id: str
    line: int
    reference: str
    template: str
    business_date: date
    effective_at: datetime
    counterpart: str
    debit_minor: int
    credit_minor: int
    balance_minor: int


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A page of an account's postings in the order the books learned of them.

    `opening_minor` is the balance before its first line; `next` is None on the last page.
    """

    book_id: BookId
    account: str
    opening_minor: int
    lines: Sequence[StatementLine]
    next: Place | None
