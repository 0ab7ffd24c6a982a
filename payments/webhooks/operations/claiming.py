"""Take due deliveries from the queue, so that no endpoint keeps another waiting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, insert, select, text
from sqlalchemy.orm import Session

from payments.merchants.models import CallbackEndpoint
from payments.webhooks.models import Attempt, Event
from payments.webhooks.rules import MOST_AT_ONCE, Lane

LEASE: Final = timedelta(seconds=90)  # Longer than any attempt takes; then it counts as lost.


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A delivery whose next attempt is ours to make; `number` fences off who held it before."""

    delivery_id: str
    number: int
    failures: int
    endpoint: CallbackEndpoint
    event: Event


# Endpoints with something due are found by skipping through the index, so a long queue of one is
# not read; each then gives as many as its health and what is under way leave room for.
CLAIM: Final = text(
    """
    WITH RECURSIVE waiting AS (
        (SELECT endpoint_id FROM webhooks.deliveries WHERE state = 'due'
         ORDER BY endpoint_id LIMIT 1)
        UNION ALL
        SELECT (SELECT endpoint_id FROM webhooks.deliveries
                WHERE state = 'due' AND endpoint_id > waiting.endpoint_id
                ORDER BY endpoint_id LIMIT 1)
        FROM waiting WHERE waiting.endpoint_id IS NOT NULL
    ),
    open AS (
        SELECT endpoint_id,
               least(greatest(1 + coalesce(health.streak, 0), 1), :most)
               - coalesce(busy.number, 0) AS room
        FROM waiting
        JOIN merchants.callback_endpoints AS endpoint USING (endpoint_id)
        LEFT JOIN webhooks.health AS health USING (endpoint_id)
        LEFT JOIN unnest(CAST(:busy AS text[]), CAST(:numbers AS int[]))
            AS busy(endpoint_id, number) USING (endpoint_id)
        WHERE endpoint.status = 'active'
          AND coalesce(health.held_until, :now) <= :now
          AND (coalesce(health.streak, 0) < 0) = :failing
    ),
    chosen AS (
        SELECT queued.delivery_id
        FROM open CROSS JOIN LATERAL (
            SELECT delivery_id, due_at FROM webhooks.deliveries
            WHERE state = 'due' AND endpoint_id = open.endpoint_id AND due_at <= :now
            ORDER BY due_at, delivery_id LIMIT greatest(open.room, 0)
            FOR UPDATE SKIP LOCKED
        ) AS queued
        ORDER BY queued.due_at LIMIT :limit
    )
    UPDATE webhooks.deliveries AS delivery
    SET attempts = attempts + 1, due_at = :lost_at
    FROM chosen WHERE delivery.delivery_id = chosen.delivery_id
    RETURNING delivery.delivery_id, delivery.attempts, delivery.failures,
              delivery.endpoint_id, delivery.event_id
    """
)


def claim(
    session: Session, *, lane: Lane, under_way: Mapping[str, int], limit: int, now: datetime
) -> list[Claimed]:
    """Take up to `limit` due deliveries of one lane; each is the caller's until LEASE has passed.

    `under_way` says how many the caller is sending to each endpoint already. An attempt is written
    down before it is made, so one that was lost with its worker shows in the log.
    """
    rows = session.execute(
        CLAIM,
        {
            "most": MOST_AT_ONCE,
            "busy": list(under_way.keys()),
            "numbers": list(under_way.values()),
            "now": now,
            "failing": lane is Lane.FAILING,
            "limit": limit,
            "lost_at": now + LEASE,
        },
    ).all()
    if not rows:
        return []
    _begin_attempts(session, rows, now=now)
    endpoints = _endpoints(session, {row.endpoint_id for row in rows})
    events = _events(session, {row.event_id for row in rows})
    return [
        Claimed(
            delivery_id=row.delivery_id,
            number=row.attempts,
            failures=row.failures,
            endpoint=endpoints[row.endpoint_id],
            event=events[row.event_id],
        )
        for row in rows
    ]


def _begin_attempts(session: Session, rows: Sequence[Row[Any]], *, now: datetime) -> None:
    session.execute(
        insert(Attempt),
        [
            {
                "delivery_id": row.delivery_id,
                "number": row.attempts,
                "started_at": now,
                "reason": "",
                "excerpt": "",
            }
            for row in rows
        ],
    )


def _endpoints(session: Session, ids: Iterable[str]) -> dict[str, CallbackEndpoint]:
    found = session.scalars(select(CallbackEndpoint).where(CallbackEndpoint.endpoint_id.in_(ids)))
    return {endpoint.endpoint_id: endpoint for endpoint in found}


def _events(session: Session, ids: Iterable[str]) -> dict[str, Event]:
    found = session.scalars(select(Event).where(Event.event_id.in_(ids)))
    return {event.event_id: event for event in found}
