"""Reserve, then post or void; what is neither in time expires."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.kernel.ids import BookId, new_book_id
from payments.kernel.money import CNY
from payments.ledger import accounts, guards, queries
from payments.ledger.guards import Change
from payments.ledger.journals import Draft, Journal, changes_of
from payments.ledger.models import ReservationLineRow, ReservationRow
from payments.ledger.reservations import Reservation
from payments.ledger.rules import RESERVATION, ReservationEvent, ReservationState
from payments.ledger.templates import Line, PostingTemplate, TemplateNotFilled
from payments.ledger.writing import ReferenceTaken, write


class ReservationExpired(Conflict):
    """The time limit has passed; what was reserved is free again."""

    code = "reservation-expired"
    zh = "预留已过期"
    en = "The reservation has expired"


class ReservationExceeded(Conflict):
    """More was to be posted than was reserved."""

    code = "reservation-exceeded"
    zh = "超出预留金额"
    en = "More than was reserved"


def reserve(
    session: Session,
    *,
    book_id: BookId,
    template: PostingTemplate,
    amounts: Mapping[str, int],
    parameters: Mapping[str, str],
    reference: str,
    expires_at: datetime,
    effective_at: datetime,
    now: datetime,
    metadata: Mapping[str, str] | None = None,
    currency: str = CNY,
) -> Reservation:
    """Hold what a journal would move until `expires_at`.

    The reference is the one its journal will have; the same reference holding the same again
    returns the reservation that is there, whatever became of it. Raises BookNotFound,
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
    bounded = accounts.bounded(
        session, book_id=book_id, names=draft.accounts, currency=currency, now=now
    )
    reservation_id = new_book_id("rsv", book_id)
    if not _insert(session, draft, reservation_id=reservation_id, expires_at=expires_at, now=now):
        found = queries.reservation_of_reference(session, book_id=book_id, reference=reference)
        if found.content_hash != draft.content_hash:
            raise ReferenceTaken(reference)
        return found
    changes = changes_of(draft.lines)
    guards.move(
        session,
        book_id=book_id,
        changes={account: _held(changes[account]) for account in bounded},
    )
    return queries.reservation(session, book_id=book_id, reservation_id=reservation_id)


def post_reserved(
    session: Session,
    *,
    book_id: BookId,
    reservation_id: str,
    now: datetime,
    amounts: Mapping[str, int] | None = None,
    effective_at: datetime | None = None,
) -> Journal:
    """Post a reservation, or the part of it that `amounts` names, and free the rest.

    Repeated with the same amounts it returns the journal that is there. Raises
    ReservationNotFound, TransitionRefused, ReservationExpired, ReservationExceeded, ReferenceTaken.
    """
    found = queries.reservation(
        session, book_id=book_id, reservation_id=reservation_id, for_update=True
    )
    draft = Draft(
        book_id=book_id,
        reference=found.reference,
        template=found.template,
        template_version=found.template_version,
        lines=_part(found.lines, amounts),
        effective_at=effective_at or found.effective_at,
        metadata=found.metadata,
        currency=found.currency,
    )
    if found.state is not ReservationState.POSTED:
        state = RESERVATION.next(found.state, ReservationEvent.POST)
        if found.expires_at <= now:
            raise ReservationExpired(reservation_id)
        _free(session, found, now=now)
        journal = write(session, draft, now=now)
        _settle(session, found, state=state, journal_id=journal.journal_id, now=now)
        return journal
    return write(session, draft, now=now)


def void(session: Session, *, book_id: BookId, reservation_id: str, now: datetime) -> None:
    """Give up a reservation; repeated, it changes nothing.

    Raises ReservationNotFound, and TransitionRefused when it was posted or has expired.
    """
    found = queries.reservation(
        session, book_id=book_id, reservation_id=reservation_id, for_update=True
    )
    if found.state is not ReservationState.VOIDED:
        state = RESERVATION.next(found.state, ReservationEvent.VOID)
        _free(session, found, now=now)
        _settle(session, found, state=state, now=now)


def expire(session: Session, *, book_id: BookId, reservation_id: str, now: datetime) -> bool:
    """Free a reservation whose time has passed; return False when it needs no freeing."""
    found = queries.reservation(
        session, book_id=book_id, reservation_id=reservation_id, for_update=True
    )
    if found.state is not ReservationState.PENDING or found.expires_at > now:
        return False
    state = RESERVATION.next(found.state, ReservationEvent.EXPIRE)
    _free(session, found, now=now)
    _settle(session, found, state=state, now=now)
    return True


def _insert(
    session: Session, draft: Draft, *, reservation_id: str, expires_at: datetime, now: datetime
) -> bool:
    """Write the reservation and its lines; return False when the reference is there already."""
    inserted = session.execute(
        upsert(ReservationRow)
        .values(
            book_id=draft.book_id,
            reservation_id=reservation_id,
            reference=draft.reference,
            content_hash=draft.content_hash,
            template=draft.template,
            template_version=draft.template_version,
            currency=draft.currency,
            entry_metadata=dict(draft.metadata),
            state=ReservationState.PENDING,
            effective_at=draft.effective_at,
            reserved_at=now,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=["book_id", "reference"])
        .returning(ReservationRow.reservation_id)
    ).one_or_none()
    if inserted is None:
        return False
    session.execute(
        insert(ReservationLineRow),
        [
            {
                "book_id": draft.book_id,
                "reservation_id": reservation_id,
                "line": number,
                "name": line.name,
                "source": line.source,
                "destination": line.destination,
                "amount_minor": line.amount_minor,
            }
            for number, line in enumerate(draft.lines, start=1)
        ],
    )
    return True


def _part(lines: tuple[Line, ...], amounts: Mapping[str, int] | None) -> tuple[Line, ...]:
    """Return the lines with the amounts to be posted. Raises ReservationExceeded."""
    if amounts is None:
        return lines
    names = {line.name for line in lines}
    if set(amounts) != names or not any(amounts.values()):
        raise TemplateNotFilled(f"the reservation has amounts {sorted(names)}")
    if any(not 0 <= amounts[line.name] <= line.amount_minor for line in lines):
        raise ReservationExceeded
    return tuple(
        replace(line, amount_minor=amounts[line.name]) for line in lines if amounts[line.name]
    )


def _held(change: int) -> Change:
    """Return what a reservation of a change promises."""
    return Change(leaving=max(-change, 0), arriving=max(change, 0))


def _free(session: Session, found: Reservation, *, now: datetime) -> None:
    """Take back what the reservation promised."""
    bounded = accounts.bounded(
        session,
        book_id=found.book_id,
        names=sorted(found.changes),
        currency=found.currency,
        now=now,
    )
    held = {account: _held(found.changes[account]) for account in bounded}
    guards.move(
        session,
        book_id=found.book_id,
        changes={
            account: Change(leaving=-change.leaving, arriving=-change.arriving)
            for account, change in held.items()
        },
    )


def _settle(
    session: Session,
    found: Reservation,
    *,
    state: ReservationState,
    now: datetime,
    journal_id: str | None = None,
) -> None:
    session.execute(
        update(ReservationRow)
        .where(
            ReservationRow.book_id == found.book_id,
            ReservationRow.reservation_id == found.reservation_id,
        )
        .values(state=state, settled_at=now, journal_id=journal_id)
    )
