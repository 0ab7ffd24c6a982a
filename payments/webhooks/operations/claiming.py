"""Take due deliveries from the queue, so that no endpoint keeps another waiting."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.webhooks.models import Event
from payments.webhooks.rules import MOST_AT_ONCE, Lane

LEASE: Final = timedelta(seconds=90)  # Longer than any attempt takes; then it counts as lost.


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A delivery whose next attempt is ours to make; `number` fences off who held it before."""

    delivery_id: str
    number: int
    failures: int
    endpoint_id: str
    url: str
    lane: Lane
    event: Event


# Endpoints with something due are found by skipping through the index, so a long queue of one is
# not read; each then gives as many as its health and what is under way leave room for. An attempt
# is written down before it is made, so one that was lost with its worker shows in the log.
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
        SELECT endpoint_id, endpoint.url, coalesce(health.streak, 0) < 0 AS failing,
               least(greatest(1 + coalesce(health.streak, 0), 1), :most)
               - coalesce(busy.number, 0) AS room
        FROM waiting
        JOIN merchants.callback_endpoints AS endpoint USING (endpoint_id)
        LEFT JOIN webhooks.health AS health USING (endpoint_id)
        LEFT JOIN unnest(CAST(:busy AS text[]), CAST(:numbers AS int[]))
            AS busy(endpoint_id, number) USING (endpoint_id)
        WHERE endpoint.status = 'active' AND coalesce(health.held_until, :now) <= :now
    ),
    queued AS (
        SELECT due.delivery_id, open.url, open.failing,
               row_number() OVER (PARTITION BY open.failing ORDER BY due.due_at) AS place
        FROM open CROSS JOIN LATERAL (
            SELECT delivery_id, due_at FROM webhooks.deliveries
            WHERE state = 'due' AND endpoint_id = open.endpoint_id AND due_at <= :now
            ORDER BY due_at, delivery_id LIMIT greatest(open.room, 0)
            FOR UPDATE SKIP LOCKED
        ) AS due
    ),
    claimed AS (
        UPDATE webhooks.deliveries AS delivery
        SET attempts = attempts + 1, due_at = :lost_at
        FROM queued
        WHERE delivery.delivery_id = queued.delivery_id
          AND queued.place <= CASE WHEN queued.failing THEN :failing ELSE :healthy END
        RETURNING delivery.*, queued.url, queued.failing
    ),
    begun AS (
        INSERT INTO webhooks.attempts (delivery_id, number, started_at, reason, excerpt)
        SELECT delivery_id, attempts, :now, '', '' FROM claimed
    )
    SELECT claimed.delivery_id, claimed.attempts, claimed.failures, claimed.endpoint_id,
           claimed.url, claimed.failing, event.event_id, event.book_id, event.type,
           event.version, event.subject, event.sequence, event.data, event.created_at
    FROM claimed JOIN webhooks.events AS event USING (event_id)
    ORDER BY claimed.created_at, claimed.delivery_id
    """
)


def claim(
    session: Session, *, room: Mapping[Lane, int], under_way: Mapping[str, int], now: datetime
) -> list[Claimed]:
    """Take due deliveries, as many per lane as there is room for; ours until LEASE has passed.

    `under_way` says how many the caller is sending to each endpoint already.
    """
    rows = session.execute(
        CLAIM,
        {
            "most": MOST_AT_ONCE,
            "busy": list(under_way.keys()),
            "numbers": list(under_way.values()),
            "healthy": room[Lane.HEALTHY],
            "failing": room[Lane.FAILING],
            "now": now,
            "lost_at": now + LEASE,
        },
    )
    return [
        Claimed(
            delivery_id=row.delivery_id,
            number=row.attempts,
            failures=row.failures,
            endpoint_id=row.endpoint_id,
            url=row.url,
            lane=Lane.FAILING if row.failing else Lane.HEALTHY,
            event=Event(
                event_id=row.event_id,
                book_id=row.book_id,
                type=row.type,
                version=row.version,
                subject=row.subject,
                sequence=row.sequence,
                data=row.data,
                created_at=row.created_at,
            ),
        )
        for row in rows
    ]
