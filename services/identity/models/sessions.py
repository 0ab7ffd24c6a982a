"""Sessions and refresh tokens of citizens and of staff: the same columns under another owner.

In the code the owner is `owner_id`; in the tables it is `citizen_id`, by which those of citizens
are distributed, or `staff_id`, of whom there are few.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from services.identity.models.citizens import LOOKUP, MOMENT, OF_CITIZEN
from services.identity.rules.sessions import OwnerKind, Revocation


class SessionColumns:
    """A sign-in and what followed from it; revoked when `revoked_at` is set."""

    session_id: Mapped[str] = mapped_column(primary_key=True)
    signed_in_with: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(MOMENT)
    refreshed_at: Mapped[datetime] = mapped_column(MOMENT)
    expires_at: Mapped[datetime] = mapped_column(MOMENT)
    revoked_at: Mapped[datetime | None] = mapped_column(MOMENT)
    revocation: Mapped[str | None]


class RefreshTokenColumns:
    """One member of a session's family of refresh tokens; used when `rotated_at` is set."""

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    session_id: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(MOMENT)
    expires_at: Mapped[datetime] = mapped_column(MOMENT)
    rotated_at: Mapped[datetime | None] = mapped_column(MOMENT)


class CitizenSession(SessionColumns, Model):
    """A citizen's session."""

    __tablename__ = "sessions"
    __table_args__ = (
        ForeignKeyConstraint(["citizen_id"], ["identity.citizens.citizen_id"]),
        CheckConstraint(one_of("revocation", Revocation), name="revocation"),
        Index(None, "expires_at"),
        OF_CITIZEN,
    )

    owner_id: Mapped[str] = mapped_column("citizen_id", primary_key=True)


class CitizenRefreshToken(RefreshTokenColumns, Model):
    """A refresh token of a citizen's session."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["citizen_id", "session_id"],
            ["identity.sessions.citizen_id", "identity.sessions.session_id"],
            ondelete="CASCADE",
        ),
        Index(None, "citizen_id", "session_id"),
        Index(None, "expires_at"),
        OF_CITIZEN,
    )

    owner_id: Mapped[str] = mapped_column("citizen_id", primary_key=True)


class StaffSession(SessionColumns, Model):
    """A session of a member of staff. Local: written often, and of no citizen."""

    __tablename__ = "staff_sessions"
    __table_args__ = (
        ForeignKeyConstraint(["staff_id"], ["identity.staff.staff_id"]),
        CheckConstraint(one_of("revocation", Revocation), name="revocation"),
        Index(None, "expires_at"),
        LOOKUP,
    )

    owner_id: Mapped[str] = mapped_column("staff_id", primary_key=True)


class StaffRefreshToken(RefreshTokenColumns, Model):
    """A refresh token of a session of a member of staff. Local like the session."""

    __tablename__ = "staff_refresh_tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["staff_id", "session_id"],
            ["identity.staff_sessions.staff_id", "identity.staff_sessions.session_id"],
            ondelete="CASCADE",
        ),
        Index(None, "staff_id", "session_id"),
        Index(None, "expires_at"),
        LOOKUP,
    )

    owner_id: Mapped[str] = mapped_column("staff_id", primary_key=True)


SessionModel = type[CitizenSession] | type[StaffSession]
RefreshTokenModel = type[CitizenRefreshToken] | type[StaffRefreshToken]

SESSIONS: Final[dict[OwnerKind, SessionModel]] = {
    "citizen": CitizenSession,
    "staff": StaffSession,
}
REFRESH_TOKENS: Final[dict[OwnerKind, RefreshTokenModel]] = {
    "citizen": CitizenRefreshToken,
    "staff": StaffRefreshToken,
}
