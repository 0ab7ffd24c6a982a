"""Write down what came of attempts: on the delivery, in the log, and in the endpoint's health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.merchants.rules import DisabledReason
from payments.webhooks import rules
from payments.webhooks.models import Attempt, Delivery, Health
from payments.webhooks.operations.claiming import Claimed
from payments.webhooks.operations.endpoints import disable_endpoint
from payments.webhooks.rules import Answered, DeliveryState


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """A claimed delivery after its attempt. `scatter`, from -1 to 1, spreads the next wait."""

    claimed: Claimed
    answered: Answered
    duration_ms: int
    scatter: float


def record(session: Session, attempts: Sequence[Attempted], *, now: datetime) -> None:
    """Write down a batch of attempts; disable endpoints that are gone or failed for too long.

    An attempt that took longer than its lease finds its delivery claimed anew, and only the log
    hears of it.
    """
    for attempted in sorted(attempts, key=lambda one: one.claimed.delivery_id):
        _log(session, attempted)
        _settle(session, attempted, now=now)
    doomed = _note_health(session, attempts, now=now)
    for endpoint_id, reason in sorted(doomed.items()):
        disable_endpoint(session, endpoint_id=endpoint_id, reason=reason, now=now)


def _log(session: Session, attempted: Attempted) -> None:
    session.execute(
        update(Attempt)
        .where(
            Attempt.delivery_id == attempted.claimed.delivery_id,
            Attempt.number == attempted.claimed.number,
        )
        .values(
            duration_ms=attempted.duration_ms,
            status=attempted.answered.status,
            reason=attempted.answered.reason,
            excerpt=attempted.answered.excerpt,
        )
    )


def _settle(session: Session, attempted: Attempted, *, now: datetime) -> None:
    claimed, answered = attempted.claimed, attempted.answered
    values: dict[str, Any]
    if answered.succeeded:
        values = {"state": DeliveryState.DELIVERED, "finished_at": now}
    else:
        failures = claimed.failures + 1
        due_at = rules.due_again(
            failures=failures,
            now=now,
            scatter=attempted.scatter,
            retry_after=answered.retry_after,
        )
        given_up = {"state": DeliveryState.DEAD, "finished_at": now}
        values = {"failures": failures} | ({"due_at": due_at} if due_at else given_up)
    session.execute(
        update(Delivery)
        .where(
            Delivery.delivery_id == claimed.delivery_id,
            Delivery.attempts == claimed.number,
            Delivery.state == DeliveryState.DUE,
        )
        .values(**values)
    )


def _note_health(
    session: Session, attempts: Sequence[Attempted], *, now: datetime
) -> dict[str, DisabledReason]:
    """Bring the endpoints' health up to date; return those to be disabled, and why."""
    ids = sorted({attempted.claimed.endpoint.endpoint_id for attempted in attempts})
    session.execute(
        insert(Health)
        .values([{"endpoint_id": endpoint_id, "streak": 0} for endpoint_id in ids])
        .on_conflict_do_nothing()
    )
    healths = {
        health.endpoint_id: health
        for health in session.scalars(
            select(Health)
            .where(Health.endpoint_id.in_(ids))
            .order_by(Health.endpoint_id)
            .with_for_update()
        )
    }
    doomed: dict[str, DisabledReason] = {}
    for attempted in attempts:
        endpoint_id = attempted.claimed.endpoint.endpoint_id
        health = healths[endpoint_id]
        _note(health, attempted.answered, now=now)
        if attempted.answered.gone:
            doomed[endpoint_id] = DisabledReason.GONE
        elif health.failing_since and now - health.failing_since >= rules.LONG_FAILURE:
            doomed.setdefault(endpoint_id, DisabledReason.FAILING)
    session.flush()
    return doomed


def _note(health: Health, answered: Answered, *, now: datetime) -> None:
    if answered.succeeded:
        health.streak = min(max(health.streak, 0) + 1, rules.MOST_AT_ONCE)
        health.held_until = None
        health.failing_since = None
        return
    health.streak = min(health.streak, 0) - 1
    wait = rules.hold(failures=-health.streak, retry_after=answered.retry_after)
    health.held_until = now + wait if wait else None
    health.failing_since = health.failing_since or now
