"""What whoever is signed in does with their sessions."""

from typing import Any

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.host.access import Principal, current_principal, requires
from services.host.idempotency import idempotent
from services.host.platform import current_platform
from services.identity.operations import sessions
from services.identity.queries.sessions import open_sessions
from services.identity.rules.sessions import Revocation, kind_of
from services.identity.schemas import SessionsSchema

blueprint = Blueprint(
    "identity_sessions", __name__, url_prefix="/v1/identity/sessions", description="Sessions"
)


@blueprint.route("", methods=["GET"])
@requires("citizen", "staff")
@blueprint.response(200, SessionsSchema)
def mine() -> dict[str, Any]:
    """List my open sessions."""
    platform, principal = current_platform(), current_principal()
    kind = kind_of(principal.id)
    assert kind is not None
    with platform.database.read() as session:
        found = open_sessions(session, kind=kind, owner_id=principal.id, now=platform.clock.now())
    return {
        "sessions": [
            {**vars(each), "current": each.session_id == principal.session_id} for each in found
        ]
    }


@blueprint.route("", methods=["DELETE"])
@requires("citizen", "staff")
@idempotent.transaction
@blueprint.response(204)
def end_others(*, session: Session) -> None:
    """End every other session of mine."""
    principal = current_principal()
    sessions.revoke_all(
        session,
        owner_id=principal.id,
        now=current_platform().clock.now(),
        but=principal.session_id,
    )


@blueprint.route("/current", methods=["DELETE"])
@requires("citizen", "staff")
@idempotent.exempt(reason="Who has signed out cannot ask again; the answer is then 401.")
@blueprint.response(204)
def sign_out() -> None:
    """Sign out."""
    principal = current_principal()
    assert principal.session_id is not None, "who bears a token has a session"
    with current_platform().database.transaction() as session:
        _end(session, principal, principal.session_id, why=Revocation.SIGNED_OUT)


@blueprint.route("/<string:session_id>", methods=["DELETE"])
@requires("citizen", "staff")
@idempotent.transaction
@blueprint.response(204)
def end(session_id: str, *, session: Session) -> None:
    """End one session of mine; whoever uses it is out at once."""
    _end(session, current_principal(), session_id, why=Revocation.REVOKED)


def _end(session: Session, principal: Principal, session_id: str, *, why: Revocation) -> None:
    sessions.revoke(
        session,
        owner_id=principal.id,
        session_id=session_id,
        why=why,
        now=current_platform().clock.now(),
    )
