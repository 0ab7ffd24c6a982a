"""What citizens do with what we know of them."""

from collections.abc import Sequence
from typing import Any

from flask_smorest import Blueprint
from sqlalchemy.orm import Session

from services.host.access import current_principal, requires
from services.host.idempotency import idempotent
from services.host.pagination import Page, PageQuerySchema, page_schema, paginate
from services.host.platform import current_platform
from services.identity import flows
from services.identity.authorities.registry import current_authorities
from services.identity.models.citizens import PersonalDataRead
from services.identity.operations.citizens import show_identities
from services.identity.operations.personal_data import (
    MaskedDetails,
    record_phone,
    record_real_name,
    show,
)
from services.identity.queries.citizens import LinkedProvider
from services.identity.queries.reads import reads_of
from services.identity.rules.attempts import PHONE_PER_CITIZEN, REAL_NAME_PER_CITIZEN
from services.identity.rules.sealing import PERSONAL_FIELDS
from services.identity.rules.subjects import SignInProvider
from services.identity.schemas import (
    AuthorisationSchema,
    ExternalIdentitiesSchema,
    PersonalDataReadSchema,
    PhoneSchema,
    ProfileSchema,
    RealNameRecordedSchema,
    RealNameSchema,
)
from services.identity.views.counting import counted, reader

blueprint = Blueprint(
    "identity_citizens", __name__, url_prefix="/v1/identity", description="Citizens"
)


@blueprint.route("/profile", methods=["GET"])
@requires("citizen", on_behalf=True)
@blueprint.response(200, ProfileSchema)
def profile() -> MaskedDetails:
    """Show what is known of me, masked.

    Or of whom I act for. The look is kept in the log of looks.
    """
    with current_platform().database.transaction() as session:
        return _shown(session, current_principal().citizen_id)


@blueprint.route("/profile/real-name", methods=["PUT"])
@requires("citizen")
@blueprint.arguments(RealNameSchema)
@counted(REAL_NAME_PER_CITIZEN)
@idempotent.transaction
@blueprint.response(200, RealNameRecordedSchema)
@blueprint.alt_response(429, "TooMany")
def give_real_name(given: dict[str, str], *, session: Session) -> dict[str, Any]:
    """Put my real name on record.

    Name and number as the card prints them; once, and one card is one citizen.
    """
    platform, citizen_id = current_platform(), current_principal().id
    card = record_real_name(
        session,
        citizen_id=citizen_id,
        name=given["name"],
        id_number=given["id_number"],
        vault=platform.vault,
        now=platform.clock.now(),
    )
    warnings = [] if card.region_known else ["region-unknown"]
    return {**vars(_shown(session, citizen_id)), "warnings": warnings}


@blueprint.route("/profile/phone", methods=["PUT"])
@requires("citizen")
@blueprint.arguments(PhoneSchema)
@counted(PHONE_PER_CITIZEN)
@idempotent.transaction
@blueprint.response(200, ProfileSchema)
@blueprint.alt_response(429, "TooMany")
def give_phone(given: dict[str, str], *, session: Session) -> MaskedDetails:
    """Put my mobile number on record, or replace it."""
    platform, citizen_id = current_platform(), current_principal().id
    record_phone(
        session,
        citizen_id=citizen_id,
        phone=given["phone"],
        vault=platform.vault,
        now=platform.clock.now(),
    )
    return _shown(session, citizen_id)


@blueprint.route("/external-identities", methods=["GET"])
@requires("citizen")
@blueprint.response(200, ExternalIdentitiesSchema)
def identities() -> dict[str, Sequence[LinkedProvider]]:
    """List the providers I can sign in with, and who I am there."""
    platform = current_platform()
    with platform.database.transaction() as session:
        return {
            "external_identities": show_identities(
                session,
                citizen_id=current_principal().id,
                reader=reader(),
                vault=platform.vault,
                now=platform.clock.now(),
            )
        }


@blueprint.route("/external-identities", methods=["POST"])
@requires("citizen")
@blueprint.arguments(AuthorisationSchema)
@idempotent.flow
@blueprint.response(204)
@blueprint.alt_response(429, "TooMany")
def link(given: dict[str, Any], *, request_key: str) -> None:
    """Let me sign in with one more provider.

    With a one-time code of that provider's app, which says who I am there.
    """
    del request_key  # The code is good once and linking again is the same.
    platform = current_platform()
    flows.link(
        platform.database,
        citizen_id=current_principal().id,
        authority=current_authorities(platform).choose(
            provider=SignInProvider(given["provider"]), app_id=given["app_id"]
        ),
        code=given["code"],
        vault=platform.vault,
        clock=platform.clock,
    )


@blueprint.route("/personal-data-reads", methods=["GET"])
@requires("citizen")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, page_schema(PersonalDataReadSchema))
def reads(page: dict[str, Any]) -> Page[PersonalDataRead]:
    """List who was shown personal data of mine, newest first."""
    citizen_id = current_principal().id
    with current_platform().database.read() as session:
        return paginate(
            **page,
            fetch=lambda before, limit: reads_of(
                session, citizen_id=citizen_id, before=before, limit=limit
            ),
            position=lambda each: (each.read_at, each.read_id),
        )


def _shown(session: Session, citizen_id: str) -> MaskedDetails:
    platform = current_platform()
    return show(
        session,
        citizen_id=citizen_id,
        fields=PERSONAL_FIELDS,
        reader=reader(),
        vault=platform.vault,
        now=platform.clock.now(),
    )
