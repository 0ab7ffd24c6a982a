"""Post a journal."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from payments.kernel.ids import BookId
from payments.kernel.money import CNY
from payments.ledger.journals import Draft, Journal
from payments.ledger.templates import PostingTemplate
from payments.ledger.writing import write


def post(
    session: Session,
    *,
    book_id: BookId,
    template: PostingTemplate,
    amounts: Mapping[str, int],
    parameters: Mapping[str, str],
    reference: str,
    effective_at: datetime,
    now: datetime,
    metadata: Mapping[str, str] | None = None,
    currency: str = CNY,
) -> Journal:
    """Post a journal in the caller's transaction, which is READ COMMITTED.

    The reference is unique in the book for ever: the same reference moving the same again returns
    the journal that is there. Accounts are opened on first use. Raises BookNotFound,
    ReferenceTaken, CurrencyDiffers, BoundReached and what `PostingTemplate.fill` raises.
    """
    draft = Draft.from_template(
        template,
        book_id=book_id,
        amounts=amounts,
        parameters=parameters,
        reference=reference,
        effective_at=effective_at,
        metadata=metadata,
        currency=currency,
    )
    return write(session, draft, now=now)
