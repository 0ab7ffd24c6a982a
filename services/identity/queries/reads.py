"""Who was shown a citizen's personal data, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from services.identity.models.citizens import PersonalDataRead


def reads_of(
    session: Session, *, citizen_id: str, before: tuple[Any, ...] | None, limit: int
) -> Sequence[PersonalDataRead]:
    """Return up to `limit` reads older than `before`, a (read_at, read_id)."""
    reads = select(PersonalDataRead).where(PersonalDataRead.citizen_id == citizen_id)
    if before is not None:
        moment, read_id = before
        assert isinstance(moment, datetime)
        reads = reads.where(
            tuple_(PersonalDataRead.read_at, PersonalDataRead.read_id) < (moment, str(read_id))
        )
    return session.scalars(
        reads.order_by(PersonalDataRead.read_at.desc(), PersonalDataRead.read_id.desc()).limit(
            limit
        )
    ).all()
