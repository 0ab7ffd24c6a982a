import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.errors import LockNotAvailable
from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from payments.kernel.crypto import Vault, same
from payments.kernel.errors import Conflict, Unprocessable
from payments.kernel.idempotency.models import IdempotencyKey
from payments.kernel.idempotency.rules import LARGEST_STORED_BODY, Answer, replayed

KEPT: Final = timedelta(days=30)  # Longer than any provider resends (25 hours).
PURGE_BATCH: Final = 1_000
CLAIM_TRIES: Final = 2


class IdempotencyKeyReused(Unprocessable):
    """The key was used before with another input."""

    code = "idempotency-key-reused"
    zh = "该 Idempotency-Key 已用于不同的请求"
    en = "The Idempotency-Key was used with another request"


class RequestStillRunning(Conflict):
    """The first request with this key has not finished; ask again in a moment."""

    code = "request-still-running"
    zh = "相同的请求正在处理中"
    en = "The same request is still running"


class ClaimLost(Conflict):
    """The lease ran out and another request has taken the key over; this one must not answer."""

    code = "request-still-running"
    zh = "相同的请求正在处理中"
    en = "The same request is still running"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to act for a key and to store its answer. `fence` tells holders apart."""

    scope: str
    key: str
    fence: int


def claim(
    session: Session,
    *,
    scope: str,
    key: str,
    fingerprint: bytes,
    vault: Vault,
    now: datetime,
    lease: timedelta | None = None,
) -> Claim | Answer:
    """Take a key, or return the answer it already has.

    Without a lease the claim lives and dies with this transaction, and a concurrent one waits for
    it. With a lease, commit the claim before calling out; once the lease has run out unanswered,
    the next claim takes over with a higher fence.
    Raises IdempotencyKeyReused, and RequestStillRunning when the first request holds the key: the
    wait exceeded the connection's lock_timeout, or its lease is running.
    """
    seal = vault.blind_index(fingerprint.hex(), purpose="kernel.idempotency_keys.fingerprint")
    until = now + lease if lease is not None else None
    for _ in range(CLAIM_TRIES):
        if _insert(session, scope=scope, key=key, seal=seal, until=until, now=now):
            return Claim(scope=scope, key=key, fence=1)
        row = session.execute(select(IdempotencyKey.__table__).where(_is(scope, key))).one_or_none()
        if row is None:  # Purged between the two statements.
            continue
        if not same(row.fingerprint, seal):
            raise IdempotencyKeyReused
        if row.status is not None:
            return Answer(
                status=row.status,
                content_type=row.content_type,
                headers=row.headers,
                body=vault.open(row.body, context=_place(scope, key)),
            )
        if until is None or row.leased_until is None or row.leased_until > now:
            break
        return _take_over(session, scope=scope, key=key, fence=row.fence, until=until)
    raise RequestStillRunning


def store(session: Session, *, claim: Claim, answer: Answer, vault: Vault, now: datetime) -> None:
    """Keep the answer of a claimed key; it is definite from now on. Raises ClaimLost.

    The body is sealed, for it may hold personal data or a token.
    """
    assert len(answer.body) <= LARGEST_STORED_BODY, "page what is this large"
    stored = session.execute(
        update(IdempotencyKey)
        .where(_held(claim))
        .values(
            answered_at=now,
            status=answer.status,
            content_type=answer.content_type,
            headers=replayed(answer.headers),
            body=vault.seal(answer.body, context=_place(claim.scope, claim.key)),
        )
        .returning(IdempotencyKey.fence)
    ).one_or_none()
    if stored is None:
        raise ClaimLost


def release(session: Session, *, claim: Claim, now: datetime) -> None:
    """End a lease without an answer, when nothing was decided; the next claim may begin at once."""
    session.execute(update(IdempotencyKey).where(_held(claim)).values(leased_until=now))


def purge(session: Session, *, now: datetime, limit: int = PURGE_BATCH) -> int:
    """Forget up to `limit` keys older than KEPT; return how many. A forgotten key is a new one."""
    old = (
        select(IdempotencyKey.scope, IdempotencyKey.key)
        .where(IdempotencyKey.claimed_at < now - KEPT)
        .order_by(IdempotencyKey.claimed_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    columns = tuple_(IdempotencyKey.scope, IdempotencyKey.key)
    gone = session.execute(
        delete(IdempotencyKey).where(columns.in_(old)).returning(IdempotencyKey.fence)
    )
    return len(gone.all())


def _insert(
    session: Session, *, scope: str, key: str, seal: bytes, until: datetime | None, now: datetime
) -> bool:
    statement = (
        insert(IdempotencyKey)
        .values(scope=scope, key=key, fingerprint=seal, claimed_at=now, fence=1, leased_until=until)
        .on_conflict_do_nothing(index_elements=[IdempotencyKey.scope, IdempotencyKey.key])
        .returning(IdempotencyKey.fence)
    )
    try:
        return session.execute(statement).one_or_none() is not None
    except DBAPIError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise RequestStillRunning from error
        raise


def _take_over(session: Session, *, scope: str, key: str, fence: int, until: datetime) -> Claim:
    seen = Claim(scope=scope, key=key, fence=fence)
    taken = session.execute(
        update(IdempotencyKey)
        .where(_held(seen))
        .values(fence=fence + 1, leased_until=until)
        .returning(IdempotencyKey.fence)
    ).one_or_none()
    if taken is None:  # Another request took it over, or the first one answered after all.
        raise RequestStillRunning
    return Claim(scope=scope, key=key, fence=fence + 1)


def _is(scope: str, key: str) -> ColumnElement[bool]:
    return and_(IdempotencyKey.scope == scope, IdempotencyKey.key == key)


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(
        _is(claim.scope, claim.key),
        IdempotencyKey.fence == claim.fence,
        IdempotencyKey.status.is_(None),
    )


def _place(scope: str, key: str) -> str:
    return f"kernel.idempotency_keys.body.{json.dumps([scope, key])}"
