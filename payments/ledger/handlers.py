"""The second half of a transfer between books, written when its fact arrives."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from payments.events.listeners import HandlersByFact, NamedHandler
from payments.ledger import operations
from payments.ledger.facts import InterBookTransfer


def write_other_side(session: Session, fact: InterBookTransfer, *, now: datetime) -> None:
    """Post the other book's journal; told twice, it finds the journal already there."""
    operations.post_other_side(session, fact, now=now)


HANDLERS: Final[HandlersByFact] = {
    InterBookTransfer.name: (NamedHandler(name="ledger.write-other-side", run=write_other_side),),
}
