"""Reading the inbox."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payments.kernel.errors import NotFound
from payments.notices.models import InboxNotice
from payments.notices.rules import UNVERIFIED_GRACE, NoticeState


class NoticeNotFound(NotFound):
    """There is no such notice in the inbox."""

    code = "notice-not-found"
    zh = "没有找到通知"
    en = "There is no such notice"


def notice(session: Session, *, inbox_id: str) -> InboxNotice:
    """Return one notice. Raises NoticeNotFound."""
    found = session.get(InboxNotice, inbox_id)
    if found is None:
        raise NoticeNotFound
    return found


def parked(session: Session, *, limit: int) -> Sequence[InboxNotice]:
    """Return the notices that wait for a person, oldest first."""
    return session.scalars(
        select(InboxNotice)
        .where(InboxNotice.state == NoticeState.PARKED)
        .order_by(InboxNotice.received_at)
        .limit(limit)
    ).all()


def left_unverified(session: Session, *, limit: int, now: datetime) -> Sequence[str]:
    """Return notices that were stored by a process that died before it verified them."""
    return session.scalars(
        select(InboxNotice.id)
        .where(
            InboxNotice.state == NoticeState.RECEIVED,
            InboxNotice.verified_at.is_(None),
            InboxNotice.received_at <= now - UNVERIFIED_GRACE,
        )
        .order_by(InboxNotice.received_at)
        .limit(limit)
    ).all()


def counts(session: Session) -> dict[str, int]:
    """Return how many notices there are in each state."""
    found = dict.fromkeys(map(str, NoticeState), 0)
    for state, count in session.execute(
        select(InboxNotice.state, func.count()).group_by(InboxNotice.state)
    ):
        found[state] = count
    return found
