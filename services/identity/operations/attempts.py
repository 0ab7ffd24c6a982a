"""Count attempts and spend codes; each in a transaction of its own, which a refusal survives."""

import hashlib
import math
from datetime import datetime

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.crypto import Vault
from payments.kernel.errors import TooMany
from services.identity.models.attempts import Attempts, SpentCode
from services.identity.rules.attempts import Limit
from services.identity.rules.subjects import CodeRefused


class TooManyAttempts(TooMany):
    """The same was tried too often; it works again when the window is over."""

    code = "too-many-attempts"
    zh = "尝试次数过多，请稍后再试"
    en = "Too many attempts; try again later"


def try_once(session: Session, *, limit: Limit, who: str, vault: Vault, now: datetime) -> None:
    """Count one attempt. Raises TooManyAttempts when the window has no more left.

    One statement counts and judges, so that simultaneous attempts cannot pass together.
    """
    fresh = Attempts.resets_at <= now
    counting = (
        insert(Attempts)
        .values(bucket=_bucket(limit, who, vault), tries=1, resets_at=now + limit.window)
        .on_conflict_do_update(
            index_elements=[Attempts.bucket],
            set_={
                "tries": case((fresh, 1), else_=Attempts.tries + 1),
                "resets_at": case((fresh, now + limit.window), else_=Attempts.resets_at),
            },
            where=fresh | (Attempts.tries < limit.tries),
        )
        .returning(Attempts.tries)
    )
    if session.scalar(counting) is None:
        ends = session.scalar(
            select(Attempts.resets_at).where(Attempts.bucket == _bucket(limit, who, vault))
        )
        left = (ends - now).total_seconds() if ends else 0
        raise TooManyAttempts(retry_after_seconds=max(1, math.ceil(left)))


def forget(session: Session, *, limit: Limit, who: str, vault: Vault) -> None:
    """Start over after a success."""
    session.execute(delete(Attempts).where(Attempts.bucket == _bucket(limit, who, vault)))


def spend_code(session: Session, *, provider: str, app_id: str, code: str, now: datetime) -> None:
    """Note that a code was presented. Raises CodeRefused when it was before.

    Providers refuse a used code too; this holds when one does not, and between two at once.
    """
    spent = insert(SpentCode).values(
        code_hash=hashlib.sha256(f"{provider}\x00{app_id}\x00{code}".encode()).digest(),
        spent_at=now,
    )
    if session.scalar(spent.on_conflict_do_nothing().returning(SpentCode.spent_at)) is None:
        raise CodeRefused


def _bucket(limit: Limit, who: str, vault: Vault) -> bytes:
    return vault.blind_index(f"{limit.action}\x00{who}", purpose="identity.attempts.bucket")
