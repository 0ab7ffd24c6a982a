"""Citizens: their details for our own decisions, and how to find one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.crypto import Vault
from payments.kernel.errors import Conflict, NotFound
from services.identity.models.citizens import (
    Citizen,
    ExternalIdentity,
    KnownIdNumber,
    PersonalDetails,
)
from services.identity.rules.id_cards import read_id_card
from services.identity.rules.sealing import PersonalField, place_of_detail, place_of_subject

MOST_FOUND = 20


class CitizenNotFound(NotFound):
    """There is no such citizen, or it is not for the caller to know."""

    code = "citizen-not-found"


class RealNameNeeded(Conflict):
    """This needs a real name on record first."""

    code = "real-name-needed"
    zh = "请先完成实名认证"
    en = "A real name is needed first"


@dataclass(frozen=True, kw_only=True)
class LinkedProvider:
    """A provider a citizen can sign in with, and who they are there, opened."""

    provider: str
    app_id: str
    subject: str
    linked_at: datetime


def linked_providers(
    session: Session, *, citizen_id: str, vault: Vault
) -> Sequence[LinkedProvider]:
    """Return the providers a citizen can sign in with; `show_identities` is for showing them."""
    identities = session.scalars(
        select(ExternalIdentity)
        .where(ExternalIdentity.citizen_id == citizen_id)
        .order_by(ExternalIdentity.linked_at, ExternalIdentity.provider)
    )
    return [
        LinkedProvider(
            provider=each.provider,
            app_id=each.app_id,
            subject=vault.decrypt(
                each.subject_sealed,
                context=place_of_subject(citizen_id, each.provider, each.app_id),
            ),
            linked_at=each.linked_at,
        )
        for each in identities
    ]


def exists(session: Session, *, citizen_id: str) -> bool:
    """Tell whether there is such a citizen."""
    return session.get(Citizen, citizen_id) is not None


def opened_detail(
    session: Session, *, citizen_id: str, field: PersonalField, vault: Vault
) -> str | None:
    """Return one detail in the clear, for a decision of ours; what people see comes from `show`."""
    column = getattr(PersonalDetails, f"{field}_sealed")
    sealed = session.scalar(select(column).where(PersonalDetails.citizen_id == citizen_id))
    if sealed is None:
        return None
    return vault.decrypt(sealed, context=place_of_detail(citizen_id, field))


def birth_date(session: Session, *, citizen_id: str, vault: Vault, now: datetime) -> date:
    """Return when a citizen was born, by the card. Raises RealNameNeeded."""
    number = opened_detail(session, citizen_id=citizen_id, field="id_number", vault=vault)
    if number is None:
        raise RealNameNeeded
    return read_id_card(number, today=business_date(now)).birth_date


def citizens_of_phone(session: Session, *, phone_index: bytes) -> Sequence[str]:
    """Return the citizens with this phone, by its blind index; MOST_FOUND at most."""
    return session.scalars(
        select(PersonalDetails.citizen_id)
        .where(PersonalDetails.phone_index == phone_index)
        .order_by(PersonalDetails.citizen_id)
        .limit(MOST_FOUND)
    ).all()


def citizen_of_id_number(session: Session, *, number_index: bytes) -> str | None:
    """Return the citizen with this card number, by its blind index."""
    return session.scalar(
        select(KnownIdNumber.citizen_id).where(KnownIdNumber.number_index == number_index)
    )
