"""Staff and their roles: reference tables, small and read at every request of theirs."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from services.identity.models.citizens import MOMENT
from services.identity.rules.sessions import StaffRole

REFERENCE: Final = {"schema": "identity", "info": {"sharding": "reference"}}


class Staff(Model):
    """Somebody who works here. `password_hash` is an Argon2id string; never deleted, disabled."""

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("username"), REFERENCE)

    staff_id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str]
    password_hash: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(MOMENT)
    disabled_at: Mapped[datetime | None] = mapped_column(MOMENT)


class StaffRoleRow(Model):
    """A role a member of staff has."""

    __tablename__ = "staff_roles"
    __table_args__ = (
        ForeignKeyConstraint(["staff_id"], ["identity.staff.staff_id"]),
        CheckConstraint(one_of("role", StaffRole), name="role"),
        REFERENCE,
    )

    staff_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
