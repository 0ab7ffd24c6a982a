"""Open, refresh and revoke sessions. A refresh token is good once.

When one comes back that was exchanged already, two people hold it and one of them stole it; which
one cannot be told, so the session ends for both (RFC 9700, 4.14.2).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound, Unauthenticated
from payments.kernel.ids import new_id
from services.identity.models.sessions import REFRESH_TOKENS, SESSIONS, SessionModel
from services.identity.rules.sessions import (
    LIFETIMES,
    MOST_SESSIONS,
    OwnerKind,
    Revocation,
    digest,
    kind_of,
    owner_of,
    refresh_token,
)


class RefreshRefused(Unauthenticated):
    """The refresh token is unknown, expired or used, or its session is over; sign in again."""

    code = "refresh-refused"
    zh = "登录已失效，请重新登录"
    en = "The refresh token is not valid"


class SessionNotFound(NotFound):
    """No such session of theirs is open."""

    code = "session-not-found"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A session with the one refresh token that continues it. Times are UTC."""

    owner_id: str
    session_id: str
    refresh_token: str
    refresh_expires_at: datetime


def open_session(
    session: Session, *, owner_id: str, signed_in_with: str, secret: str, now: datetime
) -> Opened:
    """Open a session for somebody who proved who they are; the oldest of too many ends.

    `secret` is 256 random bits in URL-safe base64; only its hash is kept.
    """
    kind = _kind(owner_id)
    table = SESSIONS[kind]
    session_id = new_id("ses")
    expires_at = now + LIFETIMES[kind].whole
    session.execute(
        insert(table).values(
            owner_id=owner_id,
            session_id=session_id,
            signed_in_with=signed_in_with,
            opened_at=now,
            refreshed_at=now,
            expires_at=expires_at,
        )
    )
    _end_the_oldest(session, table, owner_id=owner_id, now=now)
    return _issue(
        session,
        owner_id=owner_id,
        session_id=session_id,
        secret=secret,
        ends_at=expires_at,
        now=now,
    )


def refresh(session: Session, *, token: str, secret: str, now: datetime) -> Opened | None:
    """Exchange a refresh token for the next. Raises RefreshRefused when there is no such token.

    Returns None when the token had been exchanged before: the session is then revoked, which the
    caller commits before refusing. Of two exchanges at once, the row lets one through.
    """
    owner_id = owner_of(token)
    if owner_id is None:
        raise RefreshRefused
    tokens = REFRESH_TOKENS[_kind(owner_id)]
    this_one = (tokens.owner_id == owner_id) & (tokens.token_hash == digest(token))
    exchanged = session.scalar(
        update(tokens)
        .where(this_one, tokens.rotated_at.is_(None), tokens.expires_at > now)
        .values(rotated_at=now)
        .returning(tokens.session_id)
    )
    if exchanged is None:
        used = session.scalar(
            select(tokens.session_id).where(this_one, tokens.rotated_at.is_not(None))
        )
        if used is None:
            raise RefreshRefused
        _revoke(session, owner_id=owner_id, session_id=used, why=Revocation.REUSED, now=now)
        return None
    table = SESSIONS[_kind(owner_id)]
    ends_at = session.scalar(
        update(table)
        .where(_open(table, owner_id=owner_id, now=now), table.session_id == exchanged)
        .values(refreshed_at=now)
        .returning(table.expires_at)
    )
    if ends_at is None:
        raise RefreshRefused
    return _issue(
        session,
        owner_id=owner_id,
        session_id=exchanged,
        secret=secret,
        ends_at=ends_at,
        now=now,
    )


def revoke(
    session: Session,
    *,
    owner_id: str,
    session_id: str,
    now: datetime,
    why: Revocation = Revocation.REVOKED,
) -> None:
    """End one session of the owner's. Raises SessionNotFound, also when it is somebody else's."""
    if not _revoke(session, owner_id=owner_id, session_id=session_id, why=why, now=now):
        raise SessionNotFound


def revoke_all(
    session: Session,
    *,
    owner_id: str,
    now: datetime,
    why: Revocation = Revocation.REVOKED,
    but: str | None = None,
) -> int:
    """End every open session of the owner's except `but`; return how many."""
    table = SESSIONS[_kind(owner_id)]
    ended = session.scalars(
        update(table)
        .where(_open(table, owner_id=owner_id, now=now), table.session_id != (but or ""))
        .values(revoked_at=now, revocation=why)
        .returning(table.session_id)
    )
    return len(ended.all())


def _issue(
    session: Session,
    *,
    owner_id: str,
    session_id: str,
    secret: str,
    ends_at: datetime,
    now: datetime,
) -> Opened:
    kind = _kind(owner_id)
    token = refresh_token(owner_id, secret)
    expires_at = min(now + LIFETIMES[kind].idle, ends_at)
    session.execute(
        insert(REFRESH_TOKENS[kind]).values(
            owner_id=owner_id,
            token_hash=digest(token),
            session_id=session_id,
            issued_at=now,
            expires_at=expires_at,
        )
    )
    return Opened(
        owner_id=owner_id,
        session_id=session_id,
        refresh_token=token,
        refresh_expires_at=expires_at,
    )


def _end_the_oldest(session: Session, table: SessionModel, *, owner_id: str, now: datetime) -> None:
    crowded = session.scalars(
        select(table.session_id)
        .where(_open(table, owner_id=owner_id, now=now))
        .order_by(table.opened_at.desc(), table.session_id.desc())
        .offset(MOST_SESSIONS)
    ).all()
    for session_id in crowded:
        _revoke(session, owner_id=owner_id, session_id=session_id, why=Revocation.CROWDED, now=now)


def _revoke(
    session: Session, *, owner_id: str, session_id: str, why: Revocation, now: datetime
) -> bool:
    table = SESSIONS[_kind(owner_id)]
    ended = session.scalar(
        update(table)
        .where(_open(table, owner_id=owner_id, now=now), table.session_id == session_id)
        .values(revoked_at=now, revocation=why)
        .returning(table.session_id)
    )
    return ended is not None


def _open(table: SessionModel, *, owner_id: str, now: datetime) -> ColumnElement[bool]:
    return (table.owner_id == owner_id) & table.revoked_at.is_(None) & (table.expires_at > now)


def _kind(owner_id: str) -> OwnerKind:
    kind = kind_of(owner_id)
    assert kind is not None, "sessions belong to citizens and staff"
    return kind
