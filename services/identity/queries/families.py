"""Who acts for whom, now."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from services.identity.models.families import Guardianship
from services.identity.rules.family import EndReason


class GuardianshipNotFound(NotFound):
    """There is no such guardianship, or the caller has no part in it."""

    code = "guardianship-not-found"


def may_act_for(session: Session, *, actor_id: str, citizen_id: str, now: datetime) -> bool:
    """Tell whether one citizen may act for another at this moment.

    Nobody needs leave to act for themselves; a guardian's guardian has none.
    """
    if actor_id == citizen_id:
        return True
    found = session.scalar(
        select(Guardianship.guardianship_id).where(
            Guardianship.citizen_id == citizen_id,
            Guardianship.guardian_id == actor_id,
            current(now),
        )
    )
    return found is not None


def current(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a guardianship holds at a moment."""
    return (
        Guardianship.ended_at.is_(None)
        & (Guardianship.started_at <= now)
        & (Guardianship.ends_at > now)
    )


def may_return(session: Session, *, guardian_id: str, citizen_id: str, now: datetime) -> bool:
    """Tell whether a guardian may come back to a minor by declaring it once more.

    They were one, the ward never ended it, and nobody else is there now who could consent.
    """
    theirs = Guardianship.guardian_id == guardian_id
    welcome = session.scalar(
        select(
            func.bool_or(theirs)
            & ~func.bool_or(theirs & Guardianship.end_reason.is_not_distinct_from(EndReason.WARD))
            & ~func.bool_or(~theirs & current(now))
        ).where(Guardianship.citizen_id == citizen_id)
    )
    return bool(welcome)


def guardianships_of(session: Session, *, citizen_id: str, now: datetime) -> Sequence[Guardianship]:
    """Return the guardianships that hold now and that a citizen is in, on either side."""
    return session.scalars(
        select(Guardianship)
        .where(_party(citizen_id), current(now))
        .order_by(Guardianship.started_at, Guardianship.guardianship_id)
    ).all()


def guardianship(session: Session, *, guardianship_id: str, party: str) -> Guardianship:
    """Return one guardianship for one of its two sides. Raises GuardianshipNotFound."""
    found = session.scalar(
        select(Guardianship).where(Guardianship.guardianship_id == guardianship_id, _party(party))
    )
    if found is None:
        raise GuardianshipNotFound
    return found


def number_of_wards(session: Session, *, guardian_id: str, now: datetime) -> int:
    """Return for how many citizens somebody may act now."""
    counted = session.scalar(
        select(func.count()).where(Guardianship.guardian_id == guardian_id, current(now))
    )
    return counted or 0


def _party(citizen_id: str) -> ColumnElement[bool]:
    return (Guardianship.citizen_id == citizen_id) | (Guardianship.guardian_id == citizen_id)
