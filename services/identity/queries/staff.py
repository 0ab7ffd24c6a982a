"""Staff by username at sign-in, and their roles at every request."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.identity.models.staff import Staff, StaffRoleRow


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a sign-in is held against."""

    staff_id: str
    password_hash: str


def credentials(session: Session, *, username: str) -> Credentials | None:
    """Return the credentials of somebody who is not disabled."""
    found = session.execute(
        select(Staff.staff_id, Staff.password_hash).where(
            Staff.username == username, Staff.disabled_at.is_(None)
        )
    ).one_or_none()
    return found and Credentials(staff_id=found[0], password_hash=found[1])


def roles_of(session: Session, *, staff_id: str) -> frozenset[str] | None:
    """Return a member of staff's roles, or None when they may not come in."""
    roles = session.scalars(
        select(StaffRoleRow.role)
        .join(Staff, StaffRoleRow.staff_id == Staff.staff_id)
        .where(Staff.staff_id == staff_id, Staff.disabled_at.is_(None))
    ).all()
    return frozenset(roles) or None
