"""Record facts, and take them from the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session, aliased

from payments.events import rules
from payments.events.facts import Fact
from payments.events.models import FactRow, OutboxRow
from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId, new_book_id


class FactNotFound(NotFound):
    """No fact was recorded under this id."""

    code = "fact-not-found"
    zh = "没有此事件"
    en = "There is no such fact"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A claimed fact: whom it was told, how often telling failed, and what was stored."""

    position: int
    told: Sequence[str]
    tries: int
    name: str
    version: int
    fields: dict[str, Any]


def record(session: Session, fact: Fact, *, now: datetime) -> str:
    """Write a fact down in the caller's transaction and queue it for its handlers.

    Returns the fact's id. Handlers hear it after the commit; if that never comes, nobody does.
    """
    fact_id = new_book_id("fct", fact.book_id)
    session.execute(
        insert(FactRow).values(
            book_id=fact.book_id,
            fact_id=fact_id,
            name=fact.name,
            version=fact.version,
            subject=fact.subject,
            fields=fact.to_fields(),
            occurred_at=fact.occurred_at,
            recorded_at=now,
        )
    )
    session.execute(
        insert(OutboxRow)
        .values(book_id=fact.book_id, fact_id=fact_id, subject=fact.subject, due_at=now)
        .returning(func.pg_notify(rules.CHANNEL, ""))
    )
    return fact_id


def claim(session: Session, *, now: datetime, limit: int) -> list[Waiting]:
    """Lock up to `limit` facts that are due, leaving those that others hold.

    Of one subject only the earliest waiting fact is claimed, so a subject's facts are told in the
    order they were recorded; a parked one no longer holds up those behind it.
    """
    earlier = aliased(OutboxRow)
    held_up = (
        select(earlier.position)
        .where(
            earlier.book_id == OutboxRow.book_id,
            earlier.subject == OutboxRow.subject,
            earlier.position < OutboxRow.position,
            earlier.parked_at.is_(None),
        )
        .exists()
    )
    rows = session.execute(
        select(
            OutboxRow.position,
            OutboxRow.book_id,
            OutboxRow.fact_id,
            OutboxRow.told,
            OutboxRow.tries,
        )
        .where(OutboxRow.parked_at.is_(None), OutboxRow.due_at <= now, ~held_up)
        .order_by(OutboxRow.position)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    stored = {
        row.fact_id: row
        for row in session.execute(
            select(FactRow.fact_id, FactRow.name, FactRow.version, FactRow.fields).where(
                FactRow.book_id.in_({row.book_id for row in rows}),
                FactRow.fact_id.in_([row.fact_id for row in rows]),
            )
        )
    }
    return [
        Waiting(
            position=row.position,
            told=row.told,
            tries=row.tries,
            name=stored[row.fact_id].name,
            version=stored[row.fact_id].version,
            fields=stored[row.fact_id].fields,
        )
        for row in rows
    ]


def finish(session: Session, *, positions: Sequence[int]) -> None:
    """Take facts that everybody has heard out of the outbox."""
    session.execute(delete(OutboxRow).where(OutboxRow.position.in_(positions)))


def postpone(
    session: Session, waiting: Waiting, *, told: Sequence[str], reason: str, now: datetime
) -> None:
    """Remember who has heard the fact, and set when it is told again, or park it."""
    tries = waiting.tries + 1
    due_at = rules.due_again(tries=tries, now=now)
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.position == waiting.position)
        .values(
            told=list(told),
            tries=tries,
            due_at=due_at or now,
            parked_at=None if due_at else now,
            reason=reason[: rules.REASON_LENGTH],
        )
    )


def replay(session: Session, *, book_id: BookId, fact_id: str, now: datetime) -> None:
    """Tell a fact again: a parked one to those who have not heard it, a finished one to all.

    Raises FactNotFound.
    """
    subject = session.execute(
        select(FactRow.subject).where(FactRow.book_id == book_id, FactRow.fact_id == fact_id)
    ).scalar_one_or_none()
    if subject is None:
        raise FactNotFound
    queued = upsert(OutboxRow).values(book_id=book_id, fact_id=fact_id, subject=subject, due_at=now)
    session.execute(
        queued.on_conflict_do_update(
            index_elements=["book_id", "fact_id"],
            set_={"parked_at": None, "tries": 0, "due_at": now},
        ).returning(func.pg_notify(rules.CHANNEL, ""))
    )
