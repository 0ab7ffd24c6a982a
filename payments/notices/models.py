"""The inbox. A queue table: rows of several books are claimed at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.states import one_of
from payments.notices.rules import NoticeState

Moment = TIMESTAMP(timezone=True)


class InboxNotice(Model):
    """A callback as it came, byte for byte, and what became of it.

    `notice_id`, `effect` and `report` are read from it once it is verified; further deliveries of
    the same are counted in `deliveries` and not kept.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        Index(
            "inbox_once_idx",
            "provider",
            "account_id",
            "notice_id",
            "effect",
            unique=True,
            postgresql_where=text("notice_id IS NOT NULL"),
        ),
        Index("inbox_due_idx", "next_try_at", postgresql_where=text("state = 'received'")),
        Index("inbox_rejected_idx", "received_at", postgresql_where=text("state = 'rejected'")),
        Index("inbox_parked_idx", "received_at", postgresql_where=text("state = 'parked'")),
        CheckConstraint(one_of("state", NoticeState), name="state"),
        {"schema": "notices", "info": {"sharding": "local"}},
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    account_id: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(Moment)
    headers: Mapped[Mapping[str, str]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str]
    verified_at: Mapped[datetime | None] = mapped_column(Moment)
    notice_id: Mapped[str | None]
    effect: Mapped[str | None]
    kind: Mapped[str | None]
    report: Mapped[Mapping[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    deliveries: Mapped[int] = mapped_column(Integer)
    tries: Mapped[int] = mapped_column(Integer)
    next_try_at: Mapped[datetime | None] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
    case_id: Mapped[str | None]
    reason: Mapped[str]
