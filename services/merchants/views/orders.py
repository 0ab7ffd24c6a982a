"""The orders in a merchant's book."""

from typing import Any

from payments.kernel.ids import BookId
from payments.orders import queries
from payments.orders.models import Order
from services.host.access import current_principal, requires
from services.host.pagination import Page, PageQuerySchema, page_schema, paginate
from services.host.platform import current_platform
from services.merchants.schemas import MerchantOrderSchema
from services.merchants.views.blueprint import merchants_blueprint


@merchants_blueprint.route("/orders", methods=["GET"])
@requires("merchant")
@merchants_blueprint.arguments(PageQuerySchema, location="query")
@merchants_blueprint.response(200, page_schema(MerchantOrderSchema))
def orders(page: dict[str, Any]) -> Page[dict[str, Any]]:
    """List the orders of your book, newest first."""

    def fetch(after: Any, limit: int) -> list[dict[str, Any]]:
        with current_platform().database.read() as session:
            found = queries.orders_of_book(
                session,
                book_id=_book_id(),
                limit=limit,
                before=None if after is None else str(after[0]),
            )
        return [_told(order) for order in found]

    return paginate(**page, fetch=fetch, position=lambda told: (told["order_id"],))


@merchants_blueprint.route("/orders/<order_id>", methods=["GET"])
@requires("merchant")
@merchants_blueprint.response(200, MerchantOrderSchema)
def order(order_id: str) -> dict[str, Any]:
    """Look at one order of your book."""
    with current_platform().database.read() as session:
        return _told(queries.order(session, order_id=order_id, book_id=_book_id()))


def _book_id() -> BookId:
    book_id = current_principal().book_id
    assert book_id is not None, "every merchant principal has one"
    return BookId(book_id)


def _told(order: Order) -> dict[str, Any]:
    """Return what a merchant may know; who the citizen is stays with the city."""
    return {
        "order_id": order.id,
        "service": order.service,
        "service_reference": order.service_reference,
        "state": order.state,
        "amount_minor": order.amount_minor,
        "refunded_minor": order.refunded_minor,
        "currency": order.currency,
        "placed_at": order.placed_at,
        "paid_at": order.paid_at,
        "closed_at": order.closed_at,
    }
