"""The log of who was shown personal data: it only grows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from payments.kernel.ids import new_id
from services.identity.models.citizens import PersonalDataRead


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who is shown personal data, and by what: a route, or a command."""

    kind: str
    id: str
    purpose: str


def note_read(
    session: Session, *, citizen_id: str, reader: Reader, fields: Collection[str], now: datetime
) -> None:
    """Append that a reader was shown some fields of a citizen, in the transaction that shows."""
    session.execute(
        insert(PersonalDataRead).values(
            citizen_id=citizen_id,
            read_id=new_id("rd"),
            reader_kind=reader.kind,
            reader_id=reader.id,
            fields=sorted(fields),
            purpose=reader.purpose,
            read_at=now,
        )
    )
