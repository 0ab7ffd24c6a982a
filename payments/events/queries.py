"""What waits in the outbox, and what was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payments.events.facts import Fact, fact_class
from payments.events.models import FactRow, OutboxRow
from payments.kernel.ids import BookId

PARKED_PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Parked:
    """A fact that some handler keeps refusing; `reason` names the handler and the error."""

    book_id: BookId
    fact_id: str
    name: str
    subject: str
    told: tuple[str, ...]
    tries: int
    reason: str
    parked_at: datetime


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """How much waits: `oldest_due_at` is None when nothing does."""

    waiting: int
    failing: int
    parked: int
    oldest_due_at: datetime | None


def parked(session: Session, *, limit: int = PARKED_PAGE) -> list[Parked]:
    """Return the facts given up on, those parked longest first."""
    rows = session.execute(
        select(OutboxRow, FactRow.name)
        .join(
            FactRow,
            (FactRow.book_id == OutboxRow.book_id) & (FactRow.fact_id == OutboxRow.fact_id),
        )
        .where(OutboxRow.parked_at.is_not(None))
        .order_by(OutboxRow.parked_at, OutboxRow.position)
        .limit(limit)
    )
    return [
        Parked(
            book_id=BookId(row.book_id),
            fact_id=row.fact_id,
            name=name,
            subject=row.subject,
            told=tuple(row.told),
            tries=row.tries,
            reason=row.reason,
            parked_at=row.parked_at,
        )
        for row, name in rows
        if row.parked_at is not None
    ]


def backlog(session: Session) -> Backlog:
    """Count what waits, what waits after a failure, and what is parked."""
    waits = OutboxRow.parked_at.is_(None)
    row = session.execute(
        select(
            func.count().filter(waits),
            func.count().filter(waits, OutboxRow.tries > 0),
            func.count().filter(OutboxRow.parked_at.is_not(None)),
            func.min(OutboxRow.due_at).filter(waits),
        )
    ).one()
    return Backlog(waiting=row[0], failing=row[1], parked=row[2], oldest_due_at=row[3])


def facts_about(session: Session, *, book_id: BookId, subject: str) -> Sequence[Fact]:
    """Return every fact about one thing, in the order recorded. Raises FactUnknown."""
    rows = session.execute(
        select(FactRow.name, FactRow.version, FactRow.fields)
        .where(FactRow.book_id == book_id, FactRow.subject == subject)
        .order_by(FactRow.fact_id)
    )
    return [fact_class(name).from_fields(stored, version=version) for name, version, stored in rows]
