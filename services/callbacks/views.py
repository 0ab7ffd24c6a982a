"""The addresses that providers call."""

from flask import Response, request
from flask_smorest import Blueprint

from payments.notices import flows
from payments.providers.interface import Acknowledgement
from payments.providers.registry import AccountUnknown
from services.host.access import public
from services.host.idempotency import idempotent
from services.host.platform import current_platform

blueprint = Blueprint(
    "callbacks", __name__, url_prefix="/callbacks", description="Called by payment providers"
)


@blueprint.route("/<string:provider>/<string:account_id>", methods=["POST"])
@public(reason="The provider's signature is verified over the raw body.")
@idempotent.exempt(reason="A notice is applied once, whatever is repeated; it carries its own id.")
@blueprint.doc(
    description=(
        "The address names the account, and the account the key: a message never chooses what it is"
        " verified with. The answer that stops redelivery is given after the notice is stored."
    ),
    responses={
        "2XX": {"description": "Stored and verified; what the provider expects."},
        "4XX": {"description": "Not authentic; the provider tries again."},
    },
)
def receive(provider: str, account_id: str) -> Response:
    """Take a notice from a payment provider."""
    platform = current_platform()
    account = platform.providers.get(account_id)
    if account.name != provider:
        raise AccountUnknown
    answer = flows.receive(
        platform.database,
        provider=account,
        headers=dict(request.headers),
        body=request.get_data(),
        clock=platform.clock,
    )
    return _response(answer)


def _response(answer: Acknowledgement) -> Response:
    return Response(answer.body, status=answer.status, content_type=answer.content_type)
