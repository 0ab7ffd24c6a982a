"""Reservations with their lines."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.kernel.ids import BookId
from payments.ledger.models import ReservationLineRow, ReservationRow
from payments.ledger.reservations import Reservation
from payments.ledger.rules import ReservationState
from payments.ledger.templates import Line


class ReservationNotFound(NotFound):
    """The book has no such reservation."""

    code = "reservation-not-found"
    zh = "预留不存在"
    en = "There is no such reservation"


def reservation(
    session: Session, *, book_id: BookId, reservation_id: str, for_update: bool = False
) -> Reservation:
    """Return a reservation, locked if asked. Raises ReservationNotFound."""
    return _one(
        session,
        ReservationRow.book_id == book_id,
        ReservationRow.reservation_id == reservation_id,
        for_update=for_update,
    )


def reservation_of_reference(session: Session, *, book_id: BookId, reference: str) -> Reservation:
    """Return the reservation that a reference names. Raises ReservationNotFound."""
    return _one(session, ReservationRow.book_id == book_id, ReservationRow.reference == reference)


def overdue_reservations(
    session: Session, *, now: datetime, limit: int
) -> Sequence[tuple[BookId, str]]:
    """Return book and id of reservations whose time has passed, the oldest first."""
    rows = session.execute(
        select(ReservationRow.book_id, ReservationRow.reservation_id)
        .where(ReservationRow.state == ReservationState.PENDING, ReservationRow.expires_at <= now)
        .order_by(ReservationRow.expires_at)
        .limit(limit)
    )
    return [(BookId(row.book_id), row.reservation_id) for row in rows]


def _one(
    session: Session, *conditions: ColumnElement[bool], for_update: bool = False
) -> Reservation:
    chosen = select(*ReservationRow.__table__.columns).where(*conditions)
    if for_update:
        chosen = chosen.with_for_update()
    row = session.execute(chosen).mappings().one_or_none()
    if row is None:
        raise ReservationNotFound
    lines = session.execute(
        select(ReservationLineRow)
        .where(
            ReservationLineRow.book_id == row["book_id"],
            ReservationLineRow.reservation_id == row["reservation_id"],
        )
        .order_by(ReservationLineRow.line)
    ).scalars()
    return Reservation(
        book_id=BookId(row["book_id"]),
        reservation_id=row["reservation_id"],
        reference=row["reference"],
        template=row["template"],
        template_version=row["template_version"],
        currency=row["currency"],
        effective_at=row["effective_at"],
        reserved_at=row["reserved_at"],
        expires_at=row["expires_at"],
        state=ReservationState(row["state"]),
        settled_at=row["settled_at"],
        journal_id=row["journal_id"],
        metadata=row["metadata"],
        content_hash=row["content_hash"],
        lines=tuple(
            Line(
                source=line.source,
                destination=line.destination,
                amount_minor=line.amount_minor,
                name=line.name,
            )
            for line in lines
        ),
    )
