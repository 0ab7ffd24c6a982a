"""What kiosks do: hand out what was bought on a phone."""

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.host.access import current_principal, requires
from services.host.idempotency import idempotent
from services.host.platform import current_platform
from services.transit import operations
from services.transit.models import Ticket
from services.transit.schemas import CollectionSchema, PickUpSchema

blueprint = Blueprint(
    "transit_devices", __name__, url_prefix="/v1/transit/devices", description="Kiosks and gates"
)


@blueprint.route("/collections", methods=["POST"])
@requires("device", role="kiosk")
@blueprint.arguments(PickUpSchema)
@idempotent.transaction
@blueprint.response(201, CollectionSchema)
def collect(given: dict[str, str], *, session: Session) -> Ticket:
    """Collect a ticket.

    Exactly once: hand out the journeys only on this answer. When the answer was lost, send the same
    request with the same Idempotency-Key again.
    """
    device = current_principal()
    assert device.book_id is not None, "a device belongs to a merchant"
    return operations.collect(
        session,
        book_id=device.book_id,
        device_id=device.id,
        code=given["pick_up_code"],
        now=current_platform().clock.now(),
    )
