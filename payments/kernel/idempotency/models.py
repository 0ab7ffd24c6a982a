from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from payments.kernel.database import Model
from payments.kernel.idempotency.rules import DEFINITE_STATUSES, LONGEST_KEY


class IdempotencyKey(Model):
    """One key of one caller on one operation, and its answer once there is one.

    The table is local: callers are citizens, merchants, staff and devices, so no one column is the
    shard of them all, and PostgreSQL lets a local row join the transaction of any shard. `scope`
    (principal and operation) leads the primary key, so a caller can neither meet nor probe the keys
    of another. A row of a single transaction has no lease, and nobody else ever sees it unanswered.
    """

    __tablename__ = "idempotency_keys"

    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    claimed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    fence: Mapped[int] = mapped_column(BigInteger)
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    content_type: Mapped[str | None] = mapped_column(Text)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    body: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        CheckConstraint(f"length(key) BETWEEN 1 AND {LONGEST_KEY}", name="key"),
        CheckConstraint(
            f"status BETWEEN {DEFINITE_STATUSES.start} AND {DEFINITE_STATUSES.stop - 1}",
            name="status",
        ),
        CheckConstraint(
            "num_nulls(answered_at, status, content_type, headers, body) IN (0, 5)", name="answer"
        ),
        Index(None, "claimed_at"),
        {"schema": "kernel", "info": {"sharding": "local"}},
    )
