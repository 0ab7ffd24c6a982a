"""The authenticator "bearer": whose access token this is, and for whom they act."""

from flask import Request

from payments.kernel.errors import Forbidden
from services.host.access import ACTING_FOR, Principal
from services.host.platform import Platform
from services.host.settings import Settings
from services.identity.queries.families import may_act_for
from services.identity.queries.sessions import is_open
from services.identity.queries.staff import roles_of
from services.identity.rules.sessions import kind_of
from services.identity.tokens import TokenKeys, TokenRefused, token_keys


class ActingRefused(Forbidden):
    """The caller is no guardian of this person, or not any more, or there is no such person."""

    code = "acting-refused"
    zh = "没有代办权限"
    en = "You may not act for this person"


def authenticate(request: Request, platform: Platform) -> Principal | None:
    """Return whose token a request bears. Raises TokenRefused and ActingRefused.

    The token is only as good as its session, which is looked up each time, as are roles and
    guardianships: whatever is revoked counts from the next request on.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    now = platform.clock.now()
    said = keys_of(platform.settings).read(token.strip(), now=now)
    kind = kind_of(said.owner_id)
    if kind is None:
        raise TokenRefused
    acting_for = request.headers.get(ACTING_FOR) or None
    roles: frozenset[str] | None = frozenset()
    with platform.database.read() as session:
        if not is_open(
            session, kind=kind, owner_id=said.owner_id, session_id=said.session_id, now=now
        ):
            raise TokenRefused
        if kind == "staff":
            roles = roles_of(session, staff_id=said.owner_id)
        if acting_for is not None and (
            kind != "citizen"
            or not may_act_for(session, actor_id=said.owner_id, citizen_id=acting_for, now=now)
        ):
            raise ActingRefused
    if roles is None:
        raise TokenRefused
    return Principal(
        kind=kind,
        id=said.owner_id,
        roles=roles,
        session_id=said.session_id,
        acting_for=acting_for if acting_for != said.owner_id else None,
    )


def keys_of(settings: Settings) -> TokenKeys:
    """Return the installation's signing keys, loaded once."""
    ring = settings.keys.tokens
    return token_keys(tuple(sorted(ring.exposed().items())), ring.current, settings.public_url)
