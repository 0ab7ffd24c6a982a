"""What holds off guessing and replay: counted attempts and spent codes, both short-lived."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from services.identity.models.citizens import LOOKUP, MOMENT


class Attempts(Model):
    """How often something was tried in a window that began with the first try.

    `bucket` is a blind index of who tried what, so that the table holds no address and no name.
    Local: nobody is signed in yet, and a row lives for minutes.
    """

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "resets_at"), LOOKUP)

    bucket: Mapped[bytes] = mapped_column(primary_key=True)
    tries: Mapped[int]
    resets_at: Mapped[datetime] = mapped_column(MOMENT)


class SpentCode(Model):
    """An authorisation code that was presented; the second time it is refused.

    Local: it is written before anybody knows whose code it is.
    """

    __tablename__ = "spent_codes"
    __table_args__ = (Index(None, "spent_at"), LOOKUP)

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(MOMENT)
