"""Move money between books: one journal now, the other book's by a fact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from payments.events.operations import record
from payments.kernel.errors import Invalid
from payments.kernel.ids import BookId
from payments.kernel.money import CNY
from payments.ledger.facts import InterBookTransfer
from payments.ledger.journals import Draft, Journal
from payments.ledger.rules import due_from, due_to
from payments.ledger.templates import Line, PostingTemplate
from payments.ledger.writing import write


class TransferNotPaired(Invalid):
    """What one book claims in a transfer is not what the other admits."""

    code = "transfer-not-paired"
    zh = "两本账的往来金额不一致"
    en = "The two sides of the transfer do not agree"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One book's journal in a transfer between two."""

    book_id: BookId
    template: PostingTemplate
    amounts: Mapping[str, int]
    parameters: Mapping[str, str]


def transfer_between_books(
    session: Session,
    *,
    here: Side,
    there: Side,
    reference: str,
    effective_at: datetime,
    now: datetime,
    metadata: Mapping[str, str] | None = None,
    currency: str = CNY,
) -> Journal:
    """Post one book's side now and record the fact by which the other book's side follows.

    `here` claims or owes through `assets:due-from:<there>` or `liabilities:due-to:<there>`, and
    `there` the opposite by the same amount, else TransferNotPaired. The other journal's reference
    is this book's id, a slash, and `reference`. Raises what `post` raises; repeated, it returns the
    journal that is there and records nothing.
    """
    drafts = [
        Draft.from_template(
            side.template,
            book_id=side.book_id,
            amounts=side.amounts,
            parameters=side.parameters,
            reference=name,
            effective_at=effective_at,
            metadata=metadata,
            currency=currency,
        )
        for side, name in ((here, reference), (there, f"{here.book_id}/{reference}"))
    ]
    claimed, admitted = (
        _claim(drafts[0].lines, on=there.book_id),
        -_claim(drafts[1].lines, on=here.book_id),
    )
    if here.book_id == there.book_id or claimed != admitted:
        raise TransferNotPaired(f"{here.template.name} with {there.template.name}")
    journal = write(session, drafts[0], now=now)
    if journal.is_new:
        record(session, _fact(journal, drafts[1]), now=now)
    return journal


def post_other_side(session: Session, fact: InterBookTransfer, *, now: datetime) -> Journal:
    """Post the second book's journal of a transfer."""
    draft = Draft(
        book_id=fact.other_book_id,
        reference=f"{fact.book_id}/{fact.reference}",
        template=fact.template,
        template_version=fact.template_version,
        lines=tuple(
            Line(source=source, destination=destination, amount_minor=amount)
            for source, destination, amount in zip(
                fact.sources, fact.destinations, fact.amounts_minor, strict=True
            )
        ),
        effective_at=fact.effective_at,
        metadata=fact.metadata,
        currency=fact.currency,
    )
    return write(session, draft, now=now)


def _claim(lines: Iterable[Line], *, on: BookId) -> int:
    """Return how much more the other book owes after these lines, in fen; negative is less."""
    accounts = {due_from(on), due_to(on)}
    return sum(
        line.amount_minor * ((line.destination in accounts) - (line.source in accounts))
        for line in lines
    )


def _fact(journal: Journal, other: Draft) -> InterBookTransfer:
    return InterBookTransfer(
        book_id=journal.book_id,
        journal_id=journal.journal_id,
        reference=journal.reference,
        other_book_id=other.book_id,
        template=other.template,
        template_version=other.template_version,
        sources=tuple(line.source for line in other.lines),
        destinations=tuple(line.destination for line in other.lines),
        amounts_minor=tuple(line.amount_minor for line in other.lines),
        currency=other.currency,
        effective_at=other.effective_at,
        metadata=dict(other.metadata),
    )
