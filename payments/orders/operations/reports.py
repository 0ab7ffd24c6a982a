"""Applying what a provider reports of a payment: first the integrity check, then the effect."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from payments.events import operations as events
from payments.kernel.ids import PLATFORM_BOOK, book_of_provider_number
from payments.orders import postings
from payments.orders.facts import OrderPaid, SurplusReceived, about
from payments.orders.models import Attempt, Order
from payments.orders.operations.attempts import REASON_LENGTH
from payments.orders.operations.cases import check_report, open_case
from payments.orders.operations.locking import lock_by_number
from payments.orders.rules import (
    ATTEMPT,
    HEARD_IN_REPORT,
    LIVE,
    ORDER,
    AttemptState,
    CaseKind,
    Effect,
    OrderEvent,
    OrderState,
    Surplus,
)
from payments.providers.interface import Provider, Report


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a report did, to which order; `case_id` is set when it did not fit our record."""

    effect: Effect
    order_id: str | None = None
    attempt_id: str | None = None
    case_id: str | None = None


def apply_report(
    session: Session,
    *,
    provider: Provider,
    report: Report,
    asked_number: str | None = None,
    now: datetime,
) -> Applied:
    """Apply a report about a payment that came through an account; safe to repeat.

    `asked_number` is the number a question was about; an answer about another one is a mismatch.

    A report that differs from our record in number, account, amount, currency, app or seller
    changes no state and opens a case. The first success pays the order; any other is a surplus,
    posted to suspense and said as a fact, upon which it is returned.
    """
    number = asked_number or report.number
    book_id = book_of_provider_number(number)
    found = book_id and lock_by_number(session, book_id=book_id, number=number)
    if not found:
        return _unknown_number(session, provider=provider, report=report, now=now)
    order, attempt = found
    case_id = check_report(session, attempt=attempt, provider=provider, report=report, now=now)
    if case_id is not None:
        return Applied(
            effect=Effect.MISMATCH, order_id=order.id, attempt_id=attempt.id, case_id=case_id
        )
    before = AttemptState(attempt.state)
    after = ATTEMPT.next(before, HEARD_IN_REPORT[report.outcome])
    if after == before:
        return Applied(effect=Effect.NOTHING, order_id=order.id, attempt_id=attempt.id)
    attempt.state = after
    attempt.reason = report.reason[:REASON_LENGTH]
    attempt.provider_number = report.provider_number or attempt.provider_number
    if after not in LIVE:
        attempt.next_query_at = None
    effect = Effect.MOVED
    if after is AttemptState.SUCCEEDED:
        effect = _succeed(session, order=order, attempt=attempt, report=report, now=now)
    session.flush()
    return Applied(effect=effect, order_id=order.id, attempt_id=attempt.id)


def _succeed(
    session: Session, *, order: Order, attempt: Attempt, report: Report, now: datetime
) -> Effect:
    paid_at = min(report.happened_at or now, now)
    attempt.succeeded_at = paid_at
    session.flush()
    if _pay(session, order=order, attempt=attempt, paid_at=paid_at):
        postings.paid(session, order=order, attempt=attempt, effective_at=paid_at, now=now)
        events.record(session, _paid_fact(order, attempt, paid_at), now=now)
        _close_the_others_soon(session, order=order, now=now)
        return Effect.PAID
    attempt.surplus = Surplus.SECOND if order.state == OrderState.PAID else Surplus.LATE
    postings.surplus(session, order=order, attempt=attempt, effective_at=paid_at, now=now)
    events.record(session, _surplus_fact(order, attempt, paid_at), now=now)
    return Effect.SURPLUS


def _pay(session: Session, *, order: Order, attempt: Attempt, paid_at: datetime) -> bool:
    """Pay the order if it is still open; the condition in the statement is what decides."""
    done = session.execute(
        update(Order)
        .where(Order.book_id == order.book_id, Order.id == order.id)
        .where(Order.state == OrderState.OPEN)
        .values(
            state=ORDER.next(OrderState.OPEN, OrderEvent.PAY),
            paid_at=paid_at,
            paid_attempt_id=attempt.id,
            closing_since=None,
            close_reason=None,
            next_close_at=None,
        )
    )
    session.refresh(order)
    return cast("CursorResult[object]", done).rowcount == 1


def _close_the_others_soon(session: Session, *, order: Order, now: datetime) -> None:
    """Have the sweep close, at their providers, the channels that are still open on the order."""
    session.execute(
        update(Attempt)
        .where(Attempt.book_id == order.book_id, Attempt.order_id == order.id)
        .where(Attempt.state.in_(LIVE))
        .values(next_query_at=now)
    )


def _unknown_number(
    session: Session, *, provider: Provider, report: Report, now: datetime
) -> Applied:
    """A number we never gave out; its case lies in the platform's own book."""
    case_id = open_case(
        session,
        book_id=PLATFORM_BOOK,
        kind=CaseKind.UNKNOWN_NUMBER,
        subject=report.number[:64],
        evidence={
            "outcome": report.outcome,
            "account": provider.account_id,
            "amount_minor": report.amount_minor,
            "provider_number": report.provider_number,
        },
        now=now,
    )
    return Applied(effect=Effect.UNKNOWN_NUMBER, case_id=case_id)


def _paid_fact(order: Order, attempt: Attempt, paid_at: datetime) -> OrderPaid:
    return OrderPaid(
        **about(order), attempt_id=attempt.id, provider=attempt.provider, paid_at=paid_at
    )


def _surplus_fact(order: Order, attempt: Attempt, received_at: datetime) -> SurplusReceived:
    assert attempt.surplus is not None
    return SurplusReceived(
        **about(order),
        attempt_id=attempt.id,
        surplus=Surplus(attempt.surplus),
        provider=attempt.provider,
        received_at=received_at,
    )
