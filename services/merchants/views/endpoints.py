"""Where callbacks go, and what they are signed with."""

from typing import Any

from sqlalchemy.orm import Session

from payments.merchants import operations, queries
from payments.merchants.callback_secrets import CallbackSecret
from payments.merchants.models import CallbackEndpoint
from payments.merchants.rules import DisabledReason
from payments.webhooks import operations as webhooks
from services.host.access import current_principal, requires
from services.host.idempotency import idempotent
from services.host.platform import current_platform
from services.merchants.schemas import (
    EndpointChangeSchema,
    EndpointInputSchema,
    EndpointListSchema,
    EndpointSchema,
    NewEndpointSchema,
    RangeSchema,
    ReplayedSchema,
    RotationSchema,
    SecretSchema,
)
from services.merchants.views.blueprint import merchants_blueprint


@merchants_blueprint.route("/endpoints", methods=["GET"])
@requires("merchant")
@merchants_blueprint.response(200, EndpointListSchema)
def endpoints() -> dict[str, Any]:
    """List your callback endpoints."""
    with current_platform().database.read() as session:
        return {"items": queries.endpoints(session, merchant_id=_merchant_id())}


@merchants_blueprint.route("/endpoints/<endpoint_id>", methods=["GET"])
@requires("merchant")
@merchants_blueprint.response(200, EndpointSchema)
def endpoint(endpoint_id: str) -> CallbackEndpoint:
    """Look at a callback endpoint."""
    with current_platform().database.read() as session:
        return queries.endpoint(session, merchant_id=_merchant_id(), endpoint_id=endpoint_id)


@merchants_blueprint.route("/endpoints", methods=["POST"])
@requires("merchant")
@merchants_blueprint.arguments(EndpointInputSchema)
@idempotent.transaction
@merchants_blueprint.response(201, NewEndpointSchema)
def add_endpoint(arguments: dict[str, Any], *, session: Session) -> dict[str, Any]:
    """Add a callback endpoint.

    The answer holds what to verify callbacks with; it is not shown again.
    """
    platform = current_platform()
    secrets = [CallbackSecret.generate(kind) for kind in sorted(set(arguments["signatures"]))]
    added = operations.add_endpoint(
        session,
        merchant_id=_merchant_id(),
        url=arguments["url"],
        events=arguments["events"],
        secrets=secrets,
        vault=platform.vault,
        now=platform.clock.now(),
    )
    return {"endpoint": added, "secrets": [_shown(secret) for secret in secrets]}


@merchants_blueprint.route("/endpoints/<endpoint_id>", methods=["PATCH"])
@requires("merchant")
@merchants_blueprint.arguments(EndpointChangeSchema)
@idempotent.transaction
@merchants_blueprint.response(200, EndpointSchema)
def change_endpoint(
    arguments: dict[str, Any], endpoint_id: str, *, session: Session
) -> CallbackEndpoint:
    """Change the address or the filter of a callback endpoint."""
    return operations.change_endpoint(
        session, merchant_id=_merchant_id(), endpoint_id=endpoint_id, **arguments
    )


@merchants_blueprint.route("/endpoints/<endpoint_id>/rotate", methods=["POST"])
@requires("merchant")
@merchants_blueprint.arguments(RotationSchema)
@idempotent.transaction
@merchants_blueprint.response(201, SecretSchema)
def rotate_secret(
    arguments: dict[str, Any], endpoint_id: str, *, session: Session
) -> dict[str, str]:
    """Replace what callbacks to an endpoint are signed with.

    For a day both sign, so that you can change over without losing a callback.
    """
    platform = current_platform()
    secret = CallbackSecret.generate(arguments["kind"])
    operations.rotate_secret(
        session,
        merchant_id=_merchant_id(),
        endpoint_id=endpoint_id,
        secret=secret,
        vault=platform.vault,
        now=platform.clock.now(),
    )
    return _shown(secret)


@merchants_blueprint.route("/endpoints/<endpoint_id>/disable", methods=["POST"])
@requires("merchant")
@idempotent.transaction
@merchants_blueprint.response(200, EndpointSchema)
def disable_endpoint(endpoint_id: str, *, session: Session) -> CallbackEndpoint:
    """Have no more callbacks sent to an endpoint; what waits for it is dead until replayed."""
    queries.endpoint(session, merchant_id=_merchant_id(), endpoint_id=endpoint_id)
    return webhooks.disable_endpoint(
        session,
        endpoint_id=endpoint_id,
        reason=DisabledReason.OWNER,
        now=current_platform().clock.now(),
    )


@merchants_blueprint.route("/endpoints/<endpoint_id>/enable", methods=["POST"])
@requires("merchant")
@idempotent.transaction
@merchants_blueprint.response(200, EndpointSchema)
def enable_endpoint(endpoint_id: str, *, session: Session) -> CallbackEndpoint:
    """Have callbacks sent to an endpoint again. What it missed you replay."""
    return webhooks.enable_endpoint(session, merchant_id=_merchant_id(), endpoint_id=endpoint_id)


@merchants_blueprint.route("/endpoints/<endpoint_id>/replay", methods=["POST"])
@requires("merchant")
@merchants_blueprint.arguments(RangeSchema)
@idempotent.transaction
@merchants_blueprint.response(202, ReplayedSchema)
def replay_range(
    arguments: dict[str, Any], endpoint_id: str, *, session: Session
) -> dict[str, int]:
    """Have the deliveries of a span of time sent to an endpoint again, delivered ones too."""
    number = webhooks.replay_range(
        session,
        merchant_id=_merchant_id(),
        endpoint_id=endpoint_id,
        since=arguments["since"],
        until=arguments["until"],
        now=current_platform().clock.now(),
    )
    return {"deliveries": number}


def _merchant_id() -> str:
    merchant_id = current_principal().merchant_id
    assert merchant_id is not None, "every merchant principal has one"
    return merchant_id


def _shown(secret: CallbackSecret) -> dict[str, str]:
    return {"kind": secret.kind, "secret": secret.shown}
