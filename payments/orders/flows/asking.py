"""One question to a provider, and what it says applied; every flow asks through here."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.kernel.ids import BookId
from payments.orders import operations, queries
from payments.orders.models import Attempt
from payments.providers.interface import Outcome, PaymentReference, Provider, Report

BATCH_SIZE: Final = 4  # Claimed for CLAIM; each may take a provider time-out or two.

logger = logging.getLogger(__name__)


def ask(database: Database, *, attempt: Attempt, provider: Provider, clock: Clock) -> Attempt:
    """Ask what became of an attempt, apply it, and return the attempt as it is then."""
    report = provider.query(PaymentReference(number=attempt.number), now=clock.now())
    return _apply(database, attempt=attempt, provider=provider, report=report, clock=clock)


def close(database: Database, *, attempt: Attempt, provider: Provider, clock: Clock) -> Attempt:
    """Close an attempt at its provider; when that does not do it, ask what became of it."""
    report = provider.close(PaymentReference(number=attempt.number), now=clock.now())
    if report.outcome in {Outcome.CLOSED, Outcome.NOT_FOUND}:
        closed = replace(report, outcome=Outcome.CLOSED)
        return _apply(database, attempt=attempt, provider=provider, report=closed, clock=clock)
    return ask(database, attempt=attempt, provider=provider, clock=clock)


def guarded(work: Callable[[], object], *, what: str) -> None:
    """Do one piece of a sweep; a failure is logged, and tried again when its claim runs out."""
    try:
        work()
    except Exception:
        logger.exception("could not settle %s", what)


def _apply(
    database: Database, *, attempt: Attempt, provider: Provider, report: Report, clock: Clock
) -> Attempt:
    def apply(session: Session) -> Attempt:
        now = clock.now()
        operations.apply_report(
            session, provider=provider, report=report, asked_number=attempt.number, now=now
        )
        operations.reschedule(session, attempt=attempt, now=now)
        return queries.attempt(session, book_id=BookId(attempt.book_id), attempt_id=attempt.id)

    return database.run(apply)
