"""Sessions as their owner sees them, and the one question every request asks of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.identity.models.sessions import SESSIONS
from services.identity.rules.sessions import OwnerKind


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner sees it."""

    session_id: str
    signed_in_with: str
    opened_at: datetime
    refreshed_at: datetime
    expires_at: datetime


def is_open(
    session: Session, *, kind: OwnerKind, owner_id: str, session_id: str, now: datetime
) -> bool:
    """Tell whether a session is neither revoked nor over: asked anew at every request."""
    table = SESSIONS[kind]
    found = session.scalar(
        select(table.session_id).where(
            table.owner_id == owner_id,
            table.session_id == session_id,
            table.revoked_at.is_(None),
            table.expires_at > now,
        )
    )
    return found is not None


def open_sessions(
    session: Session, *, kind: OwnerKind, owner_id: str, now: datetime
) -> Sequence[OpenSession]:
    """Return the owner's open sessions, newest first; MOST_SESSIONS at most."""
    table = SESSIONS[kind]
    rows = session.execute(
        select(
            table.session_id,
            table.signed_in_with,
            table.opened_at,
            table.refreshed_at,
            table.expires_at,
        )
        .where(table.owner_id == owner_id, table.revoked_at.is_(None), table.expires_at > now)
        .order_by(table.opened_at.desc(), table.session_id.desc())
    )
    return [OpenSession(*row) for row in rows]
