"""What support and auditors see of citizens: masked, and every look is kept."""

from typing import Any

from flask_smorest import Blueprint

from payments.kernel.clock import business_date
from payments.kernel.errors import Invalid
from services.host.access import requires
from services.host.idempotency import idempotent
from services.host.pagination import Page, PageQuerySchema, page_schema, paginate
from services.host.platform import Platform, current_platform
from services.identity.models.citizens import PersonalDataRead
from services.identity.operations.personal_data import (
    ID_NUMBER_INDEX,
    PHONE_INDEX,
    MaskedDetails,
    show,
)
from services.identity.queries.citizens import (
    CitizenNotFound,
    citizen_of_id_number,
    citizens_of_phone,
    exists,
)
from services.identity.queries.reads import reads_of
from services.identity.rules.attempts import SEARCH_PER_STAFF
from services.identity.rules.id_cards import read_id_card
from services.identity.rules.phones import read_phone
from services.identity.rules.sealing import PERSONAL_FIELDS
from services.identity.rules.sessions import StaffRole
from services.identity.schemas import (
    CitizenSearchSchema,
    CitizensSchema,
    PersonalDataReadSchema,
    ProfileSchema,
)
from services.identity.views.counting import counted, reader

blueprint = Blueprint(
    "identity_staff", __name__, url_prefix="/v1/identity", description="Support and audit"
)


class SearchUnclear(Invalid):
    """A search names a phone or an ID number, one of the two."""

    code = "search-unclear"
    zh = "请输入手机号或身份证号之一"
    en = "Search by phone or by ID number"


@blueprint.route("/citizen-searches", methods=["POST"])
@requires("staff", role=StaffRole.SUPPORT)
@blueprint.arguments(CitizenSearchSchema)
@counted(SEARCH_PER_STAFF)
@idempotent.exempt(reason="It changes nothing; every look is kept, also the second.")
@blueprint.response(200, CitizensSchema)
@blueprint.alt_response(429, "TooMany")
def search(given: dict[str, str | None]) -> dict[str, list[MaskedDetails]]:
    """Find citizens by a whole phone or ID number.

    In a body and not in an address, because addresses are logged.
    """
    platform = current_platform()
    with platform.database.read() as session:
        if given["phone"] and not given["id_number"]:
            number = read_phone(given["phone"])
            index = platform.vault.blind_index(number, purpose=PHONE_INDEX)
            found = list(citizens_of_phone(session, phone_index=index))
        elif given["id_number"] and not given["phone"]:
            card = read_id_card(given["id_number"], today=business_date(platform.clock.now()))
            index = platform.vault.blind_index(card.number, purpose=ID_NUMBER_INDEX)
            one = citizen_of_id_number(session, number_index=index)
            found = [one] if one else []
        else:
            raise SearchUnclear
    return {"citizens": [_shown(platform, citizen_id) for citizen_id in found]}


@blueprint.route("/citizens/<string:citizen_id>", methods=["GET"])
@requires("staff", role=StaffRole.SUPPORT)
@blueprint.response(200, ProfileSchema)
def citizen(citizen_id: str) -> MaskedDetails:
    """Show what is known of a citizen, masked."""
    platform = current_platform()
    with platform.database.read() as session:
        if not exists(session, citizen_id=citizen_id):
            raise CitizenNotFound
    return _shown(platform, citizen_id)


@blueprint.route("/citizens/<string:citizen_id>/personal-data-reads", methods=["GET"])
@requires("staff", role=StaffRole.AUDITOR)
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, page_schema(PersonalDataReadSchema))
def reads(page: dict[str, Any], citizen_id: str) -> Page[PersonalDataRead]:
    """List who was shown personal data of a citizen, newest first."""
    with current_platform().database.read() as session:
        return paginate(
            **page,
            fetch=lambda before, limit: reads_of(
                session, citizen_id=citizen_id, before=before, limit=limit
            ),
            position=lambda each: (each.read_at, each.read_id),
        )


def _shown(platform: Platform, citizen_id: str) -> MaskedDetails:
    with platform.database.transaction() as session:
        return show(
            session,
            citizen_id=citizen_id,
            fields=PERSONAL_FIELDS,
            reader=reader(),
            vault=platform.vault,
            now=platform.clock.now(),
        )
