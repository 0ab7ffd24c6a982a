"""Tell waiting facts to their handlers."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from payments.events import operations, rules
from payments.events.facts import fact_class
from payments.events.listeners import NamedHandler
from payments.events.operations import Waiting
from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.kernel.errors import QiantangError

logger = logging.getLogger(__name__)


def drain(
    database: Database,
    *,
    handlers: Mapping[str, Sequence[NamedHandler]],
    clock: Clock,
    limit: int = rules.BATCH_SIZE,
) -> int:
    """Tell one batch of facts, in one transaction; return how many were taken up.

    Each handler runs in a savepoint: what fails is rolled back alone, told again later, and parked
    after `len(rules.RETRY_AFTER)` more failures. Any number of drains may run at once.
    """
    with database.transaction() as session:
        now = clock.now()
        claimed = operations.claim(session, now=now, limit=limit)
        finished = [
            waiting.position
            for waiting in claimed
            if _tell(session, waiting, handlers.get(waiting.name, ()), now=now)
        ]
        if finished:
            operations.finish(session, positions=finished)
    return len(claimed)


def _tell(
    session: Session, waiting: Waiting, handlers: Sequence[NamedHandler], *, now: datetime
) -> bool:
    """Tell one fact to everybody who has not heard it; return whether all now have."""
    told = list(waiting.told)
    reasons = []
    for handler in handlers:
        if handler.name in told:
            continue
        try:
            with session.begin_nested():
                fact = fact_class(waiting.name).from_fields(waiting.fields, version=waiting.version)
                handler.run(session, fact, now=now)
        except Exception as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise  # The whole batch is gone with its connection; it will be claimed again.
            reasons.append(f"{handler.name}: {_reason(error)}")
        else:
            told.append(handler.name)
    if reasons:
        reason = "; ".join(reasons)
        logger.warning("fact %s was not heard by %s", waiting.name, reason)
        operations.postpone(session, waiting, told=told, reason=reason, now=now)
    return not reasons


def _reason(error: Exception) -> str:
    """Describe an error without the values it may quote, which may be personal data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{frame.name} line {frame.lineno}"
    if isinstance(error, QiantangError):
        return f"{error.code} ({error.detail}) in {where}"
    if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error):
        return f"SQLSTATE {error.orig.sqlstate} ({error.orig.diag.constraint_name}) in {where}"
    return f"{type(error).__name__} in {where}"
