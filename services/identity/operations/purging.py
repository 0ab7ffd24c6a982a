"""Delete what no longer proves or prevents anything, in batches."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.identity.models.attempts import Attempts, SpentCode
from services.identity.models.families import ConsentCode
from services.identity.models.sessions import (
    CitizenRefreshToken,
    CitizenSession,
    StaffRefreshToken,
    StaffSession,
)

SPENT_CODES_KEPT: Final = timedelta(days=2)  # Alipay's codes live for a day at most.
TOKENS_KEPT: Final = timedelta(days=7)  # Of a used one, so that its reuse is still noticed.
SESSIONS_KEPT: Final = timedelta(days=90)

Column = InstrumentedAttribute[Any]

# What is deleted once its time is over by so much. A session takes its tokens along.
DUE: Final[tuple[tuple[tuple[Column, ...], Column, timedelta], ...]] = (
    ((Attempts.bucket,), Attempts.resets_at, timedelta(0)),
    ((SpentCode.code_hash,), SpentCode.spent_at, SPENT_CODES_KEPT),
    ((ConsentCode.code_hash,), ConsentCode.expires_at, timedelta(0)),
    *(
        ((table.owner_id, table.token_hash), table.expires_at, TOKENS_KEPT)
        for table in (CitizenRefreshToken, StaffRefreshToken)
    ),
    *(
        ((table.owner_id, table.session_id), table.expires_at, SESSIONS_KEPT)
        for table in (CitizenSession, StaffSession)
    ),
)


def purge(session: Session, *, limit: int, now: datetime) -> int:
    """Delete up to `limit` rows of each table whose time is over; return how many in all."""
    deleted = 0
    for key, until, kept in DUE:
        due = session.execute(select(*key).where(until < now - kept).limit(limit)).all()
        if due:
            session.execute(
                delete(key[0].class_).where(tuple_(*key).in_([tuple(row) for row in due]))
            )
        deleted += len(due)
    return deleted
