"""Write down what came of attempts: on the delivery, in the log, and in the endpoint's health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.merchants.rules import DisabledReason
from payments.webhooks import rules
from payments.webhooks.models import Health
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


# An attempt that outlived its lease finds its delivery claimed anew; then only the log hears of it.
RECORD: Final = text(
    """
    WITH made AS (
        SELECT * FROM unnest(
            CAST(:ids AS text[]), CAST(:numbers AS int[]), CAST(:durations AS int[]),
            CAST(:statuses AS smallint[]), CAST(:reasons AS text[]), CAST(:excerpts AS text[]),
            CAST(:states AS text[]), CAST(:failures AS smallint[]),
            CAST(:due_ats AS timestamptz[])
        ) AS made(
            delivery_id, number, duration_ms, status, reason, excerpt, state, failures, due_at
        )
    ),
    logged AS (
        UPDATE webhooks.attempts AS attempt
        SET duration_ms = made.duration_ms, status = made.status,
            reason = made.reason, excerpt = made.excerpt
        FROM made
        WHERE attempt.delivery_id = made.delivery_id AND attempt.number = made.number
    )
    UPDATE webhooks.deliveries AS delivery
    SET state = made.state, failures = made.failures,
        due_at = coalesce(made.due_at, delivery.due_at),
        finished_at = CASE WHEN made.state = 'due' THEN NULL ELSE :now END
    FROM made
    WHERE delivery.delivery_id = made.delivery_id AND delivery.attempts = made.number
      AND delivery.state = 'due'
    """
)


def record(session: Session, attempts: Sequence[Attempted], *, now: datetime) -> None:
    """Write down a batch of attempts; disable endpoints that are gone or failed for too long."""
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            *("ids", "numbers", "durations", "statuses", "reasons", "excerpts"),
            *("states", "failures", "due_ats"),
        )
    }
    for attempted in sorted(attempts, key=lambda one: one.claimed.delivery_id):
        for name, value in zip(columns, _row(attempted, now=now), strict=True):
            columns[name].append(value)
    session.execute(RECORD, {**columns, "now": now})
    doomed = _note_health(session, attempts, now=now)
    for endpoint_id, reason in sorted(doomed.items()):
        disable_endpoint(session, endpoint_id=endpoint_id, reason=reason, now=now)


def _row(attempted: Attempted, *, now: datetime) -> tuple[Any, ...]:
    claimed, answered = attempted.claimed, attempted.answered
    log = (
        claimed.delivery_id,
        claimed.number,
        attempted.duration_ms,
        answered.status,
        answered.reason,
        answered.excerpt,
    )
    if answered.succeeded:
        return (*log, DeliveryState.DELIVERED.value, claimed.failures, None)
    failures = claimed.failures + 1
    due_at = rules.due_again(
        failures=failures, now=now, scatter=attempted.scatter, retry_after=answered.retry_after
    )
    state = DeliveryState.DUE if due_at else DeliveryState.DEAD
    return (*log, state.value, failures, due_at)


def _note_health(
    session: Session, attempts: Sequence[Attempted], *, now: datetime
) -> dict[str, DisabledReason]:
    """Bring the endpoints' health up to date; return those to be disabled, and why."""
    ids = sorted({attempted.claimed.endpoint_id for attempted in attempts})
    chosen = select(Health).where(Health.endpoint_id.in_(ids)).order_by(Health.endpoint_id)
    known = session.scalars(chosen).all()
    if _nothing_new(known, attempts, endpoints=len(ids)):
        return {}
    session.execute(
        insert(Health)
        .values([{"endpoint_id": endpoint_id, "streak": 0} for endpoint_id in ids])
        .on_conflict_do_nothing()
    )
    locked = chosen.with_for_update().execution_options(populate_existing=True)
    healths = {health.endpoint_id: health for health in session.scalars(locked)}
    doomed: dict[str, DisabledReason] = {}
    for attempted in attempts:
        endpoint_id = attempted.claimed.endpoint_id
        health = healths[endpoint_id]
        _note(health, attempted.answered, now=now)
        if attempted.answered.gone:
            doomed[endpoint_id] = DisabledReason.GONE
        elif health.failing_since and now - health.failing_since >= rules.LONG_FAILURE:
            doomed.setdefault(endpoint_id, DisabledReason.FAILING)
    session.flush()
    return doomed


def _nothing_new(known: Sequence[Health], attempts: Sequence[Attempted], *, endpoints: int) -> bool:
    """Tell whether endpoints that were well are still well, which is what happens most."""
    return len(known) == endpoints and (
        all(health.streak == rules.MOST_AT_ONCE for health in known)
        and all(attempted.answered.succeeded for attempted in attempts)
    )


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
