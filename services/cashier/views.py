"""What citizens do with their orders, whichever service placed them."""

from datetime import datetime
from typing import Any, cast

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from payments.kernel.errors import Conflict
from payments.orders import flows, queries
from payments.orders.models import Attempt, Order
from payments.orders.rules import OrderState
from payments.providers.interface import Scene
from payments.refunds import queries as refunds
from services.cashier.schemas import (
    BegunPaymentSchema,
    OrderRefundsSchema,
    OrderSchema,
    PayOrderSchema,
    ReceiptSchema,
)
from services.host.access import current_principal, requires
from services.host.idempotency import idempotent
from services.host.pagination import Page, PageQuerySchema, page_schema, paginate
from services.host.platform import current_platform

blueprint = Blueprint(
    "cashier", __name__, url_prefix="/v1/cashier/orders", description="Orders and payments"
)


class OrderNotPaid(Conflict):
    """Only a paid order has a receipt."""

    code = "order-not-paid"
    zh = "订单尚未支付"
    en = "The order is not paid"


@blueprint.route("", methods=["GET"])
@requires("citizen")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, page_schema(OrderSchema))
def orders(page: dict[str, Any]) -> Page[Order]:
    """List my orders.

    Across all services, newest first.
    """
    citizen_id = current_principal().id
    with current_platform().database.read() as session:
        return paginate(
            **page,
            fetch=lambda after, limit: queries.orders_of_citizen(
                session,
                citizen_id=citizen_id,
                before=cast("tuple[datetime, str] | None", after),
                limit=limit,
            ),
            position=lambda order: (order.placed_at, order.id),
        )


@blueprint.route("/<string:order_id>", methods=["GET"])
@requires("citizen")
@blueprint.response(200, OrderSchema)
def order(order_id: str) -> Order:
    """Show one order.

    While it is being paid, the provider is asked first, unless it was asked a moment ago.
    """
    platform = current_platform()
    return flows.look(
        platform.database,
        order_id=order_id,
        citizen_id=current_principal().id,
        providers=platform.providers,
        clock=platform.clock,
    )


@blueprint.route("/<string:order_id>/payments", methods=["POST"])
@requires("citizen")
@blueprint.arguments(PayOrderSchema)
@idempotent.flow
@blueprint.response(201, BegunPaymentSchema)
def pay(payment: dict[str, Any], *, order_id: str, request_key: str) -> Attempt:
    """Begin to pay an order.

    Answers what the front end hands to the provider's SDK. A state of `unknown` means the provider
    did not answer in time: ask for the order again in a few seconds.
    """
    platform = current_platform()
    return flows.start_payment(
        platform.database,
        order_id=order_id,
        citizen_id=current_principal().id,
        provider_name=payment["provider"],
        scene=Scene(payment["scene"]),
        payer=payment["payer"],
        request_key=request_key,
        providers=platform.providers,
        clock=platform.clock,
        notify_base_url=platform.settings.public_url,
    )


@blueprint.route("/<string:order_id>/cancel", methods=["POST"])
@requires("citizen")
@idempotent.flow
@blueprint.response(200, OrderSchema)
def cancel(order_id: str, *, request_key: str) -> Order:
    """Cancel an order that is not paid.

    It is closed at the provider first; should it turn out to be paid, it is answered as paid.
    """
    del request_key  # Cancelling twice is cancelling once.
    platform = current_platform()
    return flows.cancel(
        platform.database,
        order_id=order_id,
        citizen_id=current_principal().id,
        providers=platform.providers,
        clock=platform.clock,
    )


@blueprint.route("/<string:order_id>/refunds", methods=["GET"])
@requires("citizen")
@blueprint.response(200, OrderRefundsSchema)
def refunds_of(order_id: str) -> dict[str, Any]:
    """Show what comes back.

    Refunds of the order, and payments that came twice or too late.
    """
    with current_platform().database.read() as session:
        mine = _mine(session, order_id)
        return {
            "refunds": refunds.refunds_of_order(session, order=mine),
            "returns": refunds.returns_of_order(session, order=mine),
        }


@blueprint.route("/<string:order_id>/receipt", methods=["GET"])
@requires("citizen")
@blueprint.response(200, ReceiptSchema)
def receipt(order_id: str) -> dict[str, Any]:
    """Show the receipt of a paid order."""
    with current_platform().database.read() as session:
        mine = _mine(session, order_id)
        if mine.state != OrderState.PAID:
            raise OrderNotPaid
        payment = next(
            attempt
            for attempt in queries.attempts(session, order=mine)
            if attempt.id == mine.paid_attempt_id
        )
        return {
            "order": mine,
            "payment": payment,
            "provider_number": payment.provider_number,
            "refunds": refunds.refunds_of_order(session, order=mine),
        }


def _mine(session: Session, order_id: str) -> Order:
    return queries.order(session, order_id=order_id, citizen_id=current_principal().id)
