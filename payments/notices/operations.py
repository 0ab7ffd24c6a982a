"""What happens to a notice in a transaction: stored, accepted or rejected, applied or parked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from payments.kernel.ids import new_id
from payments.notices import queries, reports, rules
from payments.notices.models import InboxNotice
from payments.notices.rules import NOTICE, NoticeEvent, NoticeState
from payments.orders import operations as orders
from payments.orders.rules import Effect
from payments.providers.interface import Notice, Provider
from payments.refunds import operations as refunds

PUZZLING = frozenset({Effect.MISMATCH, Effect.UNKNOWN_NUMBER})


def store(
    session: Session, *, provider: Provider, headers: Mapping[str, str], body: bytes, now: datetime
) -> str:
    """Store a callback as it came, before anything is believed of it; return its inbox id."""
    assert len(body) <= rules.BODY_BYTES, "whoever reads the request bounds it"
    stored = InboxNotice(
        id=new_id("ntc"),
        provider=provider.name,
        account_id=provider.account_id,
        received_at=now,
        headers=rules.kept_headers(headers),
        body=body,
        state=NOTICE.initial,
        deliveries=1,
        tries=0,
        reason="",
    )
    session.add(stored)
    session.flush()
    return stored.id


def accept(session: Session, *, inbox_id: str, notice: Notice, now: datetime) -> None:
    """Queue a verified notice to be applied; one that is there already is counted and dropped."""
    stored = queries.notice(session, inbox_id=inbox_id)
    effect = rules.effect(notice.report)
    earlier = _earlier(session, stored, notice_id=notice.notice_id, effect=effect)
    if earlier is None:
        try:
            with session.begin_nested():
                _verified(stored, notice=notice, effect=effect, now=now)
                session.flush()
        except IntegrityError:
            session.expire(stored)
            earlier = _earlier(session, stored, notice_id=notice.notice_id, effect=effect)
            assert earlier is not None, "only another delivery of the same can be in the way"
    if earlier is None:
        session.execute(select(func.pg_notify(rules.CHANNEL, "")))
        return
    earlier.deliveries += 1
    session.delete(stored)
    session.flush()


def reject(session: Session, *, inbox_id: str, reason: str, now: datetime) -> None:
    """Keep a notice that is not authentic or not readable for a while, and do nothing about it."""
    _settle(queries.notice(session, inbox_id=inbox_id), NoticeEvent.REJECT, reason, now=now)
    session.flush()


def park(session: Session, *, inbox_id: str, reason: str, now: datetime) -> None:
    """Leave a notice to a person."""
    _settle(queries.notice(session, inbox_id=inbox_id), NoticeEvent.PARK, reason, now=now)
    session.flush()


def claim(session: Session, *, limit: int, now: datetime) -> Sequence[InboxNotice]:
    """Lock verified notices that are due, leaving those that others hold.

    They come sorted by what they are about, so that two workers meet orders in the same sequence.
    """
    due = session.scalars(
        select(InboxNotice)
        .where(InboxNotice.state == NoticeState.RECEIVED, InboxNotice.next_try_at <= now)
        .order_by(InboxNotice.next_try_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return sorted(due, key=lambda notice: notice.effect or "")


def apply(session: Session, *, stored: InboxNotice, provider: Provider, now: datetime) -> None:
    """Let orders or refunds act on what a notice reports; park it when it fits no record."""
    if stored.report is None:
        _settle(stored, NoticeEvent.APPLY, "not about a payment", now=now)
        return
    report = reports.from_json(stored.report)
    applied: orders.Applied | refunds.Applied
    if report.refund_number is None:
        applied = orders.apply_report(session, provider=provider, report=report, now=now)
    else:
        applied = refunds.apply_report(session, provider=provider, report=report, now=now)
    stored.case_id = applied.case_id
    event = NoticeEvent.PARK if applied.effect in PUZZLING else NoticeEvent.APPLY
    _settle(stored, event, applied.effect, now=now)
    session.flush()


def postpone(stored: InboxNotice, *, reason: str, now: datetime) -> None:
    """Set when a notice that could not be applied is tried again, or park it."""
    stored.tries += 1
    stored.next_try_at = rules.next_try_at(stored.tries, now)
    stored.reason = rules.storable(reason, rules.REASON_LENGTH)
    if stored.next_try_at is None:
        _settle(stored, NoticeEvent.PARK, reason, now=now)


def replay(session: Session, *, inbox_id: str, now: datetime) -> InboxNotice:
    """Put a notice back into the queue; one that was rejected is verified again first."""
    stored = queries.notice(session, inbox_id=inbox_id)
    stored.state = NOTICE.next(NoticeState(stored.state), NoticeEvent.REPLAY)
    stored.tries = 0
    stored.settled_at = None
    if stored.verified_at is not None:
        stored.next_try_at = now
    session.flush()
    return stored


def drop_rejected(session: Session, *, limit: int, now: datetime) -> int:
    """Delete rejected notices nobody replayed in time; return how many."""
    old = (
        select(InboxNotice.id)
        .where(
            InboxNotice.state == NoticeState.REJECTED,
            InboxNotice.received_at <= now - rules.REJECTED_KEPT,
        )
        .limit(limit)
    )
    done = session.execute(delete(InboxNotice).where(InboxNotice.id.in_(old)))
    return cast("CursorResult[object]", done).rowcount


def _earlier(
    session: Session, stored: InboxNotice, *, notice_id: str, effect: str
) -> InboxNotice | None:
    return session.scalars(
        select(InboxNotice)
        .filter_by(
            provider=stored.provider,
            account_id=stored.account_id,
            notice_id=rules.storable(notice_id, rules.TEXT_LENGTH),
            effect=effect,
        )
        .where(InboxNotice.id != stored.id)
        .with_for_update()
    ).one_or_none()


def _verified(stored: InboxNotice, *, notice: Notice, effect: str, now: datetime) -> None:
    stored.verified_at = stored.next_try_at = now
    stored.notice_id = rules.storable(notice.notice_id, rules.TEXT_LENGTH)
    stored.kind = rules.storable(notice.kind, rules.TEXT_LENGTH)
    stored.effect = effect
    stored.report = None if notice.report is None else reports.to_json(notice.report)


def _settle(stored: InboxNotice, event: NoticeEvent, reason: str, *, now: datetime) -> None:
    stored.state = NOTICE.next(NoticeState(stored.state), event)
    stored.reason = rules.storable(reason, rules.REASON_LENGTH)
    stored.settled_at = now
    stored.next_try_at = None
