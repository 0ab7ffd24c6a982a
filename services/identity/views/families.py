"""What citizens do for their family: declare a child, consent, become a guardian, end it."""

import secrets
from datetime import date
from typing import Any, Final

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.host.access import current_principal, requires
from services.host.idempotency import idempotent
from services.host.platform import current_platform
from services.identity.models.families import Guardianship
from services.identity.operations import consents, guardianships
from services.identity.operations.personal_data import show
from services.identity.queries.families import guardianships_of
from services.identity.rules.attempts import (
    DECLARE_PER_CITIZEN,
    OFFER_PER_CITIZEN,
    REDEEM_PER_CITIZEN,
)
from services.identity.rules.consent_codes import ALPHABET, LENGTH, grouped
from services.identity.rules.family import Relation
from services.identity.rules.sealing import PersonalField
from services.identity.schemas import (
    ConsentCodeSchema,
    FamilySchema,
    GuardianshipSchema,
    MinorSchema,
    OfferConsentSchema,
    RedeemConsentSchema,
)
from services.identity.views.counting import counted, reader

blueprint = Blueprint(
    "identity_families", __name__, url_prefix="/v1/identity/family", description="Families"
)

NAME: Final[tuple[PersonalField, ...]] = ("name",)


@blueprint.route("", methods=["GET"])
@requires("citizen")
@blueprint.response(200, FamilySchema)
def family() -> dict[str, Any]:
    """List for whom I act and who acts for me."""
    platform, citizen_id = current_platform(), current_principal().id
    with platform.database.transaction() as session:
        found = guardianships_of(session, citizen_id=citizen_id, now=platform.clock.now())
        return {"guardianships": [_seen(session, each) for each in found]}


@blueprint.route("/minors", methods=["POST"])
@requires("citizen")
@blueprint.arguments(MinorSchema)
@counted(DECLARE_PER_CITIZEN)
@idempotent.transaction
@blueprint.response(201, GuardianshipSchema)
@blueprint.alt_response(429, "TooMany")
def declare(given: dict[str, str], *, session: Session) -> dict[str, Any]:
    """Put a child of mine on record and act for it until it is 18.

    A child that is on record already, by its own sign-in or another guardian, consents with a code.
    """
    platform = current_platform()
    begun = guardianships.declare_minor(
        session,
        guardian_id=current_principal().id,
        relation=Relation(given["relation"]),
        name=given["name"],
        id_number=given["id_number"],
        vault=platform.vault,
        now=platform.clock.now(),
    )
    return _seen(session, begun)


@blueprint.route("/consent-codes", methods=["POST"])
@requires("citizen", on_behalf=True)
@blueprint.arguments(OfferConsentSchema)
@counted(OFFER_PER_CITIZEN)
@idempotent.transaction
@blueprint.response(201, ConsentCodeSchema)
@blueprint.alt_response(429, "TooMany")
def offer(given: dict[str, date | None], *, session: Session) -> dict[str, Any]:
    """Make a code with which somebody becomes my guardian.

    Show it to them: it works once, for ten minutes, and the next one replaces it. For a minor I act
    for, it lets in a second guardian.
    """
    platform, principal = current_platform(), current_principal()
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    expires_at = consents.offer_consent(
        session,
        citizen_id=principal.citizen_id,
        consented_by=principal.id,
        until=given["until"],
        code=code,
        vault=platform.vault,
        now=platform.clock.now(),
    )
    return {"code": grouped(code), "expires_at": expires_at}


@blueprint.route("/guardianships", methods=["POST"])
@requires("citizen")
@blueprint.arguments(RedeemConsentSchema)
@counted(REDEEM_PER_CITIZEN)
@idempotent.transaction
@blueprint.response(201, GuardianshipSchema)
@blueprint.alt_response(429, "TooMany")
def redeem(given: dict[str, str], *, session: Session) -> dict[str, Any]:
    """Become the guardian of whoever showed me a code."""
    platform = current_platform()
    begun = consents.redeem_consent(
        session,
        guardian_id=current_principal().id,
        relation=Relation(given["relation"]),
        code=given["code"],
        vault=platform.vault,
        now=platform.clock.now(),
    )
    return _seen(session, begun)


@blueprint.route("/guardianships/<string:guardianship_id>", methods=["DELETE"])
@requires("citizen")
@idempotent.transaction
@blueprint.response(204)
def end(guardianship_id: str, *, session: Session) -> None:
    """End a guardianship at once, from either side."""
    guardianships.end(
        session,
        guardianship_id=guardianship_id,
        party=current_principal().id,
        now=current_platform().clock.now(),
    )


def _seen(session: Session, one: Guardianship) -> dict[str, Any]:
    """Return a guardianship as the caller's side sees it, with the other side's name masked."""
    platform, caller = current_platform(), current_principal().id
    is_guardian = one.guardian_id == caller
    other = show(
        session,
        citizen_id=one.citizen_id if is_guardian else one.guardian_id,
        fields=NAME,
        reader=reader(),
        vault=platform.vault,
        now=platform.clock.now(),
    )
    return {**vars(one), "side": "guardian" if is_guardian else "ward", "name": other.name}
