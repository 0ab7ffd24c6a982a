"""Applying what a provider reports of a refund: first the integrity check, then the effect."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from payments.events import operations as events
from payments.kernel.ids import PLATFORM_BOOK, BookId, book_of_provider_number
from payments.orders import operations as orders
from payments.orders.models import Attempt, Order
from payments.orders.operations import RefundExceeds
from payments.orders.rules import CaseKind, Effect
from payments.providers.interface import Provider, Report
from payments.refunds import postings
from payments.refunds.facts import RefundFailed, RefundSucceeded, SurplusReturned, about
from payments.refunds.models import Refund
from payments.refunds.operations.locking import attempt_of, lock_by_number, surplus_return
from payments.refunds.rules import (
    FINAL,
    HEARD_IN_REPORT,
    REASON_LENGTH,
    REFUND,
    Origin,
    RefundState,
    next_try_at,
)


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What a report did, to which refund; `case_id` is set when it did not fit our record."""

    effect: Effect
    refund_id: str | None = None
    case_id: str | None = None


def apply_report(
    session: Session,
    *,
    provider: Provider,
    report: Report,
    asked_number: str | None = None,
    now: datetime,
) -> Applied:
    """Apply a report about a refund that came through an account; safe to repeat.

    A report that differs from our record changes no state and opens a case. `asked_number` is the
    refund number a question was about.
    """
    number = asked_number or report.refund_number or ""
    book_id = book_of_provider_number(number)
    found = book_id and lock_by_number(session, book_id=book_id, number=number)
    if not found:
        return _unknown_refund(session, provider=provider, report=report, now=now)
    order, refund = found
    attempt = attempt_of(session, order=order, attempt_id=refund.attempt_id)
    case_id = orders.check_report(
        session,
        attempt=attempt,
        provider=provider,
        report=report,
        amount_minor=refund.amount_minor,
        now=now,
    )
    if case_id is not None:
        return Applied(effect=Effect.MISMATCH, refund_id=refund.id, case_id=case_id)
    before = RefundState(refund.state)
    after = REFUND.next(before, HEARD_IN_REPORT[report.outcome])
    if after == before:
        return Applied(effect=Effect.NOTHING, refund_id=refund.id)
    if before is RefundState.FAILED and not _reserved_again(session, order=order, refund=refund):
        return _exceeds(session, refund=refund, provider=provider, now=now)
    refund.state = after
    refund.answer = report.reason[:REASON_LENGTH]
    refund.provider_number = report.provider_number or refund.provider_number
    happened_at = min(report.happened_at or now, now)
    if after in FINAL:
        refund.next_try_at = None
    if after is RefundState.SUCCEEDED:
        refund.succeeded_at = happened_at
        _succeed(session, order=order, attempt=attempt, refund=refund, now=now)
    elif after is RefundState.FAILED:
        _fail(session, order=order, refund=refund, now=now)
    session.flush()
    return Applied(effect=Effect.MOVED, refund_id=refund.id)


def reschedule(session: Session, *, refund: Refund, now: datetime) -> None:
    """Set when to ask about a claimed refund again, if it is not final."""
    session.execute(
        update(Refund)
        .where(Refund.book_id == refund.book_id, Refund.id == refund.id)
        .where(Refund.state.not_in(FINAL))
        .values(next_try_at=next_try_at(refund.tries, now))
    )


def _succeed(
    session: Session, *, order: Order, attempt: Attempt, refund: Refund, now: datetime
) -> None:
    assert refund.succeeded_at is not None
    session.flush()
    said: type[RefundSucceeded | SurplusReturned] = SurplusReturned
    if refund.origin == Origin.ORDER:
        orders.complete_refund(session, order=order, amount_minor=refund.amount_minor)
        said = RefundSucceeded
    postings.returned(
        session,
        order=order,
        attempt=attempt,
        refund=refund,
        effective_at=refund.succeeded_at,
        now=now,
    )
    events.record(session, said(**about(refund, order, refund.succeeded_at)), now=now)


def _fail(session: Session, *, order: Order, refund: Refund, now: datetime) -> None:
    session.flush()
    orders.open_case(
        session,
        book_id=BookId(refund.book_id),
        kind=CaseKind.REFUND_FAILED,
        subject=refund.id,
        evidence={"answer": refund.answer, "origin": refund.origin, "number": refund.number},
        now=now,
    )
    if refund.origin == Origin.ORDER:
        orders.release_refund(session, order=order, amount_minor=refund.amount_minor)
        events.record(session, RefundFailed(**about(refund, order, now)), now=now)


def _reserved_again(session: Session, *, order: Order, refund: Refund) -> bool:
    """A refund we believed failed was made after all: its money has to be reserved anew."""
    if refund.origin == Origin.SUSPENSE:
        return surplus_return(session, attempt_id=refund.attempt_id) is None
    try:
        orders.reserve_refund(session, order=order, amount_minor=refund.amount_minor)
    except RefundExceeds:
        return False
    return True


def _exceeds(session: Session, *, refund: Refund, provider: Provider, now: datetime) -> Applied:
    case_id = orders.open_case(
        session,
        book_id=BookId(refund.book_id),
        kind=CaseKind.REFUND_EXCEEDS,
        subject=refund.id,
        evidence={"account": provider.account_id, "number": refund.number},
        now=now,
    )
    return Applied(effect=Effect.MISMATCH, refund_id=refund.id, case_id=case_id)


def _unknown_refund(
    session: Session, *, provider: Provider, report: Report, now: datetime
) -> Applied:
    """A refund nobody here asked for; its case lies in the payment's book, if that is one."""
    case_id = orders.open_case(
        session,
        book_id=book_of_provider_number(report.number) or PLATFORM_BOOK,
        kind=CaseKind.UNKNOWN_REFUND,
        subject=(report.refund_number or report.number)[:64],
        evidence={
            "outcome": report.outcome,
            "account": provider.account_id,
            "number": report.number,
            "amount_minor": report.amount_minor,
        },
        now=now,
    )
    return Applied(effect=Effect.UNKNOWN_NUMBER, case_id=case_id)
