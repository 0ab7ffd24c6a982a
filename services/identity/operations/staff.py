"""Staff: added, given roles and disabled from the command line; never deleted."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict, Invalid, NotFound
from payments.kernel.ids import new_id
from services.identity.models.staff import Staff, StaffRoleRow
from services.identity.operations.sessions import revoke_all
from services.identity.rules.sessions import Revocation, StaffRole

_USERNAME: Final = re.compile(r"[a-z][a-z0-9._-]{2,31}", re.ASCII)


class UsernameInvalid(Invalid):
    """A username has 3 to 32 of a-z, 0-9, dot, dash and underscore, and starts with a letter."""

    code = "username-invalid"
    zh = "用户名不正确"
    en = "The username is not valid"


class UsernameTaken(Conflict):
    """Somebody has this username; disabled people keep theirs."""

    code = "username-taken"
    zh = "用户名已存在"
    en = "The username is taken"


class RoleNeeded(Invalid):
    """Without a role a member of staff can do nothing."""

    code = "role-needed"
    zh = "至少需要一个角色"
    en = "At least one role is needed"


class StaffNotFound(NotFound):
    """There is no such member of staff."""

    code = "staff-not-found"


def add_staff(
    session: Session,
    *,
    username: str,
    password_hash: str,
    roles: Collection[StaffRole],
    now: datetime,
) -> str:
    """Add somebody and return the id. Raises UsernameInvalid, UsernameTaken and RoleNeeded."""
    if not _USERNAME.fullmatch(username):
        raise UsernameInvalid
    if not roles:
        raise RoleNeeded
    staff_id = new_id("stf")
    added = session.scalar(
        insert(Staff)
        .values(staff_id=staff_id, username=username, password_hash=password_hash, added_at=now)
        .on_conflict_do_nothing()
        .returning(Staff.staff_id)
    )
    if added is None:
        raise UsernameTaken
    _give_roles(session, staff_id, roles)
    return staff_id


def set_roles(session: Session, *, username: str, roles: Collection[StaffRole]) -> None:
    """Replace somebody's roles; they count from the next request on. Raises StaffNotFound."""
    if not roles:
        raise RoleNeeded
    staff_id = _changed(session, username, {"username": username})
    session.execute(delete(StaffRoleRow).where(StaffRoleRow.staff_id == staff_id))
    _give_roles(session, staff_id, roles)


def set_password(session: Session, *, username: str, password_hash: str, now: datetime) -> None:
    """Replace somebody's password and end every session of theirs. Raises StaffNotFound."""
    staff_id = _changed(session, username, {"password_hash": password_hash})
    revoke_all(session, owner_id=staff_id, now=now, why=Revocation.DISABLED)


def disable_staff(session: Session, *, username: str, now: datetime) -> None:
    """Let a member of staff in no more, and end every session. Raises StaffNotFound."""
    staff_id = _changed(session, username, {"disabled_at": now})
    revoke_all(session, owner_id=staff_id, now=now, why=Revocation.DISABLED)


def hold_enabled(session: Session, *, staff_id: str) -> bool:
    """Tell whether a member of staff may come in, and keep it so until the transaction ends."""
    held = session.scalar(
        select(Staff.staff_id)
        .where(Staff.staff_id == staff_id, Staff.disabled_at.is_(None))
        .with_for_update(read=True)
    )
    return held is not None


def _changed(session: Session, username: str, values: Mapping[str, Any]) -> str:
    """Change somebody who is not disabled, and hold them until the transaction ends."""
    staff_id: str | None = session.scalar(
        update(Staff)
        .where(Staff.username == username, Staff.disabled_at.is_(None))
        .values(**values)
        .returning(Staff.staff_id)
    )
    if staff_id is None:
        raise StaffNotFound
    return staff_id


def _give_roles(session: Session, staff_id: str, roles: Collection[StaffRole]) -> None:
    session.execute(
        insert(StaffRoleRow),
        [{"staff_id": staff_id, "role": role} for role in sorted(set(roles))],
    )
