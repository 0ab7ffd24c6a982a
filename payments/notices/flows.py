"""Receiving notices and applying them. The answer that stops redelivery follows the commit."""

import logging
from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from payments.notices import operations, queries
from payments.notices.models import InboxNotice
from payments.notices.rules import BODY_BYTES, NoticeState
from payments.providers.interface import Acknowledgement, Notice, NoticeRejected, Provider
from payments.providers.registry import AccountUnknown, Providers

BATCH_SIZE: Final = 50

logger = logging.getLogger(__name__)


def receive(
    database: Database, *, provider: Provider, headers: Mapping[str, str], body: bytes, clock: Clock
) -> Acknowledgement:
    """Store a callback, verify it, queue it, and return the answer in the provider's words.

    Never raises for what was sent: whatever it is, it is answered `accepted` or `refused`.
    """
    if len(body) > BODY_BYTES:
        logger.warning("a notice of %d bytes to %s", len(body), provider.account_id)
        return provider.refused
    with database.transaction() as session:
        inbox_id = operations.store(
            session, provider=provider, headers=headers, body=body, now=clock.now()
        )
    accepted = _verify(database, inbox_id=inbox_id, provider=provider, clock=clock)
    return provider.accepted if accepted else provider.refused


def apply_pending(
    database: Database, *, providers: Providers, clock: Clock, limit: int = BATCH_SIZE
) -> int:
    """Apply a batch of verified notices, each in a savepoint of one transaction; return how many.

    What fails is rolled back alone, tried again later, and parked in the end. Any number of workers
    may run at once.
    """
    _verify_what_was_left(database, providers=providers, clock=clock, limit=limit)
    with database.transaction() as session:
        claimed = operations.claim(session, limit=limit, now=clock.now())
        for stored in claimed:
            _apply(session, stored, providers=providers, clock=clock)
    return len(claimed)


def replay(database: Database, *, inbox_id: str, providers: Providers, clock: Clock) -> InboxNotice:
    """Verify a rejected notice anew, apply it, and return what became of it.

    Raises NoticeNotFound and AccountUnknown.
    """
    with database.transaction() as session:
        stored = operations.replay(session, inbox_id=inbox_id, now=clock.now())
    if stored.verified_at is None:
        provider = providers.get(stored.account_id)
        _verify(database, inbox_id=inbox_id, provider=provider, clock=clock)
    with database.transaction() as session:
        stored = queries.notice(session, inbox_id=inbox_id)
        if stored.state == NoticeState.RECEIVED:
            _apply(session, stored, providers=providers, clock=clock)
        return stored


def drop_rejected(database: Database, *, clock: Clock, limit: int = BATCH_SIZE) -> int:
    """Delete rejected notices that are past their time; return how many."""
    with database.transaction() as session:
        return operations.drop_rejected(session, limit=limit, now=clock.now())


def _verify(database: Database, *, inbox_id: str, provider: Provider, clock: Clock) -> bool:
    """Verify what is stored, as of the moment it came; return whether it is to be acknowledged."""
    with database.transaction() as session:
        stored = queries.notice(session, inbox_id=inbox_id)
    try:
        notice = provider.read_notice(stored.headers, stored.body, now=stored.received_at)
    except NoticeRejected as error:
        with database.transaction() as session:
            operations.reject(session, inbox_id=inbox_id, reason=error.detail, now=clock.now())
        return False
    except Exception as error:
        logger.exception("%s cannot read notice %s", provider.account_id, inbox_id)
        with database.transaction() as session:
            reason = f"unreadable: {type(error).__name__}"
            operations.park(session, inbox_id=inbox_id, reason=reason, now=clock.now())
        return False
    _accept(database, inbox_id=inbox_id, notice=notice, clock=clock)
    return True


def _accept(database: Database, *, inbox_id: str, notice: Notice, clock: Clock) -> None:
    database.run(
        lambda session: operations.accept(
            session, inbox_id=inbox_id, notice=notice, now=clock.now()
        )
    )


def _verify_what_was_left(
    database: Database, *, providers: Providers, clock: Clock, limit: int
) -> None:
    with database.transaction() as session:
        left = {
            inbox_id: queries.notice(session, inbox_id=inbox_id).account_id
            for inbox_id in queries.left_unverified(session, limit=limit, now=clock.now())
        }
    for inbox_id, account_id in left.items():
        try:
            provider = providers.get(account_id)
        except AccountUnknown as error:
            with database.transaction() as session:
                operations.park(session, inbox_id=inbox_id, reason=error.code, now=clock.now())
        else:
            _verify(database, inbox_id=inbox_id, provider=provider, clock=clock)


def _apply(session: Session, stored: InboxNotice, *, providers: Providers, clock: Clock) -> None:
    now = clock.now()
    try:
        with session.begin_nested():
            provider = providers.get(stored.account_id)
            operations.apply(session, stored=stored, provider=provider, now=now)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise  # The batch is gone with its connection; it will be claimed again.
        logger.exception("could not apply notice %s", stored.id)
        session.refresh(stored)
        operations.postpone(stored, reason=type(error).__name__, now=now)
