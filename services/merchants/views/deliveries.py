"""What was sent to a merchant, what came of it, and sending it again."""

from typing import Any

from sqlalchemy.orm import Session

from payments.webhooks import operations, queries, signing
from payments.webhooks.queries import Sent
from payments.webhooks.rules import DeliveryState
from services.host.access import current_principal, requires
from services.host.idempotency import idempotent
from services.host.pagination import Page, Position, page_schema, paginate
from services.host.platform import current_platform
from services.merchants.schemas import (
    DeliveryDetailSchema,
    DeliveryQuerySchema,
    DeliverySchema,
)
from services.merchants.views.blueprint import merchants_blueprint


@merchants_blueprint.route("/deliveries", methods=["GET"])
@requires("merchant")
@merchants_blueprint.arguments(DeliveryQuerySchema, location="query")
@merchants_blueprint.response(200, page_schema(DeliverySchema))
def deliveries(page: dict[str, Any]) -> Page[dict[str, Any]]:
    """List callbacks, newest first, by endpoint and by what became of them."""

    def fetch(after: Position | None, limit: int) -> list[dict[str, Any]]:
        with current_platform().database.read() as session:
            found = queries.deliveries(
                session,
                book_id=_book_id(),
                limit=limit,
                before=None if after is None else str(after[0]),
                endpoint_id=page["endpoint_id"],
                state=page["state"],
            )
        return [_listed(sent) for sent in found]

    return paginate(
        cursor=page["cursor"],
        limit=page["limit"],
        fetch=fetch,
        position=lambda listed: (listed["delivery_id"],),
    )


@merchants_blueprint.route("/deliveries/<delivery_id>", methods=["GET"])
@requires("merchant")
@merchants_blueprint.response(200, DeliveryDetailSchema)
def delivery(delivery_id: str) -> dict[str, Any]:
    """Look at a callback: its body, and every attempt to deliver it."""
    with current_platform().database.read() as session:
        sent = queries.delivery(session, book_id=_book_id(), delivery_id=delivery_id)
        log = queries.attempts(session, delivery_id=delivery_id)
    return {**_listed(sent), "body": signing.body(sent.event), "log": log}


@merchants_blueprint.route("/deliveries/<delivery_id>/replay", methods=["POST"])
@requires("merchant")
@idempotent.transaction
@merchants_blueprint.response(202, DeliverySchema)
def replay(delivery_id: str, *, session: Session) -> dict[str, Any]:
    """Have a callback sent again, whatever became of it, under the same `webhook-id`."""
    now = current_platform().clock.now()
    operations.replay(session, book_id=_book_id(), delivery_id=delivery_id, now=now)
    return _listed(queries.delivery(session, book_id=_book_id(), delivery_id=delivery_id))


def _book_id() -> str:
    book_id = current_principal().book_id
    assert book_id is not None, "every merchant principal has one"
    return book_id


def _listed(sent: Sent) -> dict[str, Any]:
    row, event = sent.delivery, sent.event
    return {
        "delivery_id": row.delivery_id,
        "endpoint_id": row.endpoint_id,
        "event_id": row.event_id,
        "event_type": event.type,
        "subject": event.subject,
        "state": row.state,
        "attempts": row.attempts,
        "next_attempt_at": row.due_at if row.state == DeliveryState.DUE else None,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }
