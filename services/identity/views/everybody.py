"""Sign-in and refresh: nobody is signed in yet.

None of these keeps its answer under an Idempotency-Key: it holds tokens, which are stored nowhere.
"""

from typing import Any

from flask import request
from flask_smorest import Blueprint

from services.host.access import public
from services.host.idempotency import idempotent
from services.host.platform import current_platform
from services.identity import flows
from services.identity.authentication import keys_of
from services.identity.authorities.registry import current_authorities
from services.identity.rules.subjects import SignInProvider
from services.identity.schemas import (
    AuthorisationSchema,
    GrantSchema,
    RefreshSchema,
    StaffCredentialsSchema,
)

blueprint = Blueprint(
    "identity", __name__, url_prefix="/v1/identity", description="Sign-in of citizens and staff"
)


@blueprint.route("/sessions", methods=["POST"])
@public(reason="Who signs in is not signed in; attempts are counted by address.")
@blueprint.arguments(AuthorisationSchema)
@idempotent.exempt(reason="A code is good once, and its tokens are stored nowhere.")
@blueprint.response(201, GrantSchema)
@blueprint.alt_response(401, "Unauthenticated")
@blueprint.alt_response(429, "TooMany")
def sign_in(given: dict[str, Any]) -> flows.Grant:
    """Sign in as a citizen.

    With the one-time code of a provider's app. The first sign-in makes a citizen. When no answer
    came, sign in with a new code.
    """
    platform = current_platform()
    authority = current_authorities(platform).choose(
        provider=SignInProvider(given["provider"]), app_id=given["app_id"]
    )
    return flows.sign_in(
        platform.database,
        authority=authority,
        code=given["code"],
        address=request.remote_addr or "",
        keys=keys_of(platform.settings),
        vault=platform.vault,
        clock=platform.clock,
    )


@blueprint.route("/staff-sessions", methods=["POST"])
@public(reason="Who signs in is not signed in; attempts are counted by address and by username.")
@blueprint.arguments(StaffCredentialsSchema)
@idempotent.exempt(reason="Signing in again opens another session; tokens are stored nowhere.")
@blueprint.response(201, GrantSchema)
@blueprint.alt_response(401, "Unauthenticated")
@blueprint.alt_response(429, "TooMany")
def sign_in_staff(given: dict[str, str]) -> flows.Grant:
    """Sign in as a member of staff."""
    platform = current_platform()
    return flows.sign_in_staff(
        platform.database,
        username=given["username"],
        password=given["password"],
        address=request.remote_addr or "",
        keys=keys_of(platform.settings),
        vault=platform.vault,
        clock=platform.clock,
    )


@blueprint.route("/sessions/refresh", methods=["POST"])
@public(reason="The refresh token itself says who asks; the access token has usually expired.")
@blueprint.arguments(RefreshSchema)
@idempotent.exempt(reason="A refresh token is good once, and its tokens are stored nowhere.")
@blueprint.response(200, GrantSchema)
@blueprint.alt_response(401, "Unauthenticated")
def refresh(given: dict[str, str]) -> flows.Grant:
    """Exchange a refresh token for new tokens.

    The old one is used up. When it comes back a second time, somebody has copied it and the session
    ends for everybody; so send it once, and sign in again when no answer came.
    """
    platform = current_platform()
    return flows.refresh(
        platform.database,
        token=given["refresh_token"],
        keys=keys_of(platform.settings),
        clock=platform.clock,
    )
