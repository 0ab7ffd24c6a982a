"""What was sent to merchants, what came of it, and what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.webhooks.models import Attempt, Delivery, Event
from payments.webhooks.rules import DeliveryState


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A delivery with the event it carries."""

    delivery: Delivery
    event: Event


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """How much waits for its time or its turn. `oldest_due_at` is None when nothing does."""

    due: int
    dead: int
    oldest_due_at: datetime | None


def deliveries(
    session: Session,
    *,
    book_id: str,
    limit: int,
    before: str | None = None,
    endpoint_id: str | None = None,
    state: DeliveryState | None = None,
) -> Sequence[Sent]:
    """Return a page of a book's deliveries, newest first; `before` is the last id of the page."""
    statement = (
        select(Delivery, Event)
        .join(Event, Event.event_id == Delivery.event_id)
        .where(Delivery.book_id == book_id)
        .order_by(Delivery.delivery_id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(Delivery.delivery_id < before)
    if endpoint_id is not None:
        statement = statement.where(Delivery.endpoint_id == endpoint_id)
    if state is not None:
        statement = statement.where(Delivery.state == state)
    return [Sent(delivery=delivery, event=event) for delivery, event in session.execute(statement)]


def delivery(session: Session, *, book_id: str, delivery_id: str) -> Sent:
    """Return one delivery of a book. Raises NotFound."""
    row = session.execute(
        select(Delivery, Event)
        .join(Event, Event.event_id == Delivery.event_id)
        .where(Delivery.book_id == book_id, Delivery.delivery_id == delivery_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    found, event = row
    return Sent(delivery=found, event=event)


def attempts(session: Session, *, delivery_id: str) -> Sequence[Attempt]:
    """Return every attempt of a delivery, first to last."""
    return session.scalars(
        select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.number)
    ).all()


def backlog(session: Session) -> Backlog:
    """Count what is due and what is dead."""
    due = Delivery.state == DeliveryState.DUE
    row = session.execute(
        select(
            func.count().filter(due),
            func.count().filter(Delivery.state == DeliveryState.DEAD),
            func.min(Delivery.due_at).filter(due),
        )
    ).one()
    return Backlog(due=row[0], dead=row[1], oldest_due_at=row[2])
