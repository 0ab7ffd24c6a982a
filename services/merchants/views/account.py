"""The one call that tests a key."""

from typing import Any

from payments.merchants import queries
from services.host.access import current_principal, requires
from services.host.platform import current_platform
from services.merchants.schemas import WhoAmISchema
from services.merchants.views.blueprint import merchants_blueprint


@merchants_blueprint.route("/me", methods=["GET"])
@requires("merchant", "device")
@merchants_blueprint.response(200, WhoAmISchema)
def me() -> dict[str, Any]:
    """Say whose signature this is.

    The call to try a key with: it changes nothing, and its refusal says which rule was broken.
    """
    principal, platform = current_principal(), current_platform()
    assert principal.merchant_id is not None
    with platform.database.read() as session:
        merchant = queries.merchant(session, merchant_id=principal.merchant_id)
        device = None
        if principal.kind == "device":
            device = queries.device(
                session, merchant_id=principal.merchant_id, device_id=principal.id
            )
    return {
        "kind": principal.kind,
        "merchant_id": merchant.merchant_id,
        "book_id": merchant.book_id,
        "name": {"zh": merchant.name_zh, "en": merchant.name_en},
        "status": merchant.status,
        "device": device,
        "server_time": platform.clock.now(),
    }
