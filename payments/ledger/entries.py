"""What is handed to bulk posting, and what comes back for each item."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from payments.kernel.errors import QiantangError
from payments.kernel.money import CNY
from payments.ledger.templates import PostingTemplate


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One journal of many. Entries of one `chain` are all posted or all refused."""

    template: PostingTemplate
    amounts: Mapping[str, int]
    parameters: Mapping[str, str]
    reference: str
    effective_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
    currency: str = CNY
    chain: str | None = None


class EntryOutcome(StrEnum):
    """What became of an entry."""

    POSTED = "posted"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class EntryResult:
    """The result of one entry, in the order given.

    `journal_id` is set unless it was refused; `error` says why it was, and is the error that
    posting it alone would have raised, or ChainBroken for the others of its chain.
    """

    reference: str
    outcome: EntryOutcome
    journal_id: str | None = None
    error: QiantangError | None = None
