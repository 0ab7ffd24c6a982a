"""Endpoints are switched off and on with what is queued for them; deliveries are replayed."""

from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from payments.events import operations as events
from payments.kernel.errors import Invalid, NotFound
from payments.kernel.ids import BookId
from payments.merchants import operations as merchants
from payments.merchants import queries as merchant_queries
from payments.merchants.models import CallbackEndpoint
from payments.merchants.rules import DisabledReason, EndpointStatus
from payments.webhooks.facts import EndpointDisabled
from payments.webhooks.models import Delivery, Health
from payments.webhooks.rules import CHANNEL, DeliveryState

REPLAY_MAX: Final = 10_000


class ReplayTooLarge(Invalid):
    """The range holds more deliveries than one replay may take; ask for parts of it."""

    code = "replay-too-large"
    zh = "重发范围过大"
    en = "The range to replay is too large"


def disable_endpoint(
    session: Session, *, endpoint_id: str, reason: DisabledReason, now: datetime
) -> CallbackEndpoint:
    """Send an endpoint nothing more; what waits for it is dead until it is replayed."""
    endpoint = session.get(CallbackEndpoint, endpoint_id, with_for_update=True)
    if endpoint is None:
        raise NotFound
    if endpoint.status == EndpointStatus.DISABLED:
        return endpoint
    merchants.disable_endpoint(session, endpoint_id=endpoint_id, reason=reason)
    session.execute(
        update(Delivery)
        .where(Delivery.endpoint_id == endpoint_id, Delivery.state == DeliveryState.DUE)
        .values(state=DeliveryState.DEAD, finished_at=now)
    )
    fact = EndpointDisabled(
        book_id=BookId(endpoint.book_id),
        endpoint_id=endpoint_id,
        reason=reason,
        disabled_at=now,
    )
    events.record(session, fact, now=now)
    return endpoint


def enable_endpoint(session: Session, *, merchant_id: str, endpoint_id: str) -> CallbackEndpoint:
    """Send an endpoint callbacks again and forget how it failed. What it missed is replayed."""
    endpoint = merchants.enable_endpoint(session, merchant_id=merchant_id, endpoint_id=endpoint_id)
    session.execute(delete(Health).where(Health.endpoint_id == endpoint_id))
    return endpoint


def replay(session: Session, *, book_id: str, delivery_id: str, now: datetime) -> Delivery:
    """Send a delivery again from the start of its schedule, whatever became of it.

    The receiver sees the same `webhook-id`. Raises NotFound.
    """
    delivery = session.scalar(
        update(Delivery)
        .where(Delivery.book_id == book_id, Delivery.delivery_id == delivery_id)
        .values(state=DeliveryState.DUE, failures=0, due_at=now, finished_at=None)
        .returning(Delivery)
        .execution_options(populate_existing=True)
    )
    if delivery is None:
        raise NotFound
    session.execute(select(func.pg_notify(CHANNEL, "")))
    return delivery


def replay_range(
    session: Session,
    *,
    merchant_id: str,
    endpoint_id: str,
    since: datetime,
    until: datetime,
    now: datetime,
) -> int:
    """Send again what an endpoint was due in [since, until); return how many. Raises NotFound.

    Raises ReplayTooLarge beyond REPLAY_MAX.
    """
    merchant_queries.endpoint(session, merchant_id=merchant_id, endpoint_id=endpoint_id)
    chosen = (
        Delivery.endpoint_id == endpoint_id,
        Delivery.created_at >= since,
        Delivery.created_at < until,
    )
    number = session.scalar(select(func.count()).select_from(Delivery).where(*chosen)) or 0
    if number > REPLAY_MAX:
        raise ReplayTooLarge(detail=f"{number} deliveries; at most {REPLAY_MAX}")
    session.execute(
        update(Delivery)
        .where(*chosen)
        .values(state=DeliveryState.DUE, failures=0, due_at=now, finished_at=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(select(func.pg_notify(CHANNEL, "")))
    return number
