"""Record personal data sealed, and show it masked. Nobody is shown any without a trace.

`show` is the only way by which details leave the database, and what leaves it is masked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.crypto import Vault
from payments.kernel.errors import Conflict
from services.identity.models.citizens import (
    Citizen,
    KnownIdNumber,
    PersonalDetails,
)
from services.identity.operations.reads import Reader, note_read
from services.identity.queries.citizens import CitizenNotFound, opened_detail
from services.identity.rules.family import is_minor
from services.identity.rules.id_cards import IdCard, Sex, mask_id_number, read_id_card
from services.identity.rules.names import mask_name, read_name
from services.identity.rules.phones import mask_phone, read_phone
from services.identity.rules.sealing import PersonalField, place_of_detail

ID_NUMBER_INDEX = "identity.known_id_numbers.number_index"
PHONE_INDEX = "identity.personal_details.phone_index"


class RealNameFixed(Conflict):
    """A real name is given once; a citizen does not become somebody else."""

    code = "real-name-fixed"
    zh = "已实名认证，不能更改"
    en = "The real name is already on record"


class IdNumberTaken(Conflict):
    """The ID card number belongs to another citizen on record."""

    code = "id-number-taken"
    zh = "该身份证号码已被其他账号使用"
    en = "The ID card number is another citizen's"


@dataclass(frozen=True, kw_only=True)
class MaskedDetails:
    """Personal details as anybody is shown them."""

    citizen_id: str
    name: str | None = None
    id_number: str | None = None
    phone: str | None = None
    sex: Sex | None = None
    minor: bool | None = None


def record_real_name(
    session: Session, *, citizen_id: str, name: str, id_number: str, vault: Vault, now: datetime
) -> IdCard:
    """Record a citizen's real name and card, once; the same again is the same.

    Raises NameInvalid, IdNumberInvalid, RealNameFixed and IdNumberTaken. That name and number
    belong together is not checked here: only the public security register knows.
    """
    spelt = read_name(name)
    card = read_id_card(id_number, today=business_date(now))
    lock_citizen(session, citizen_id=citizen_id)
    known = opened_detail(session, citizen_id=citizen_id, field="id_number", vault=vault)
    if known is not None:
        same_name = opened_detail(session, citizen_id=citizen_id, field="name", vault=vault)
        if (known, same_name) != (card.number, spelt):
            raise RealNameFixed
        return card
    if not claim_id_number(
        session, citizen_id=citizen_id, number=card.number, vault=vault, now=now
    ):
        raise IdNumberTaken
    _record(
        session,
        citizen_id,
        name_sealed=vault.encrypt(spelt, context=place_of_detail(citizen_id, "name")),
        id_number_sealed=vault.encrypt(
            card.number, context=place_of_detail(citizen_id, "id_number")
        ),
        real_name_at=now,
    )
    return card


def record_phone(
    session: Session, *, citizen_id: str, phone: str, vault: Vault, now: datetime
) -> None:
    """Record or replace a citizen's mobile number. Raises PhoneInvalid."""
    number = read_phone(phone)
    lock_citizen(session, citizen_id=citizen_id)
    _record(
        session,
        citizen_id,
        phone_sealed=vault.encrypt(number, context=place_of_detail(citizen_id, "phone")),
        phone_index=vault.blind_index(number, purpose=PHONE_INDEX),
        phone_at=now,
    )


def show(
    session: Session,
    *,
    citizen_id: str,
    fields: Collection[PersonalField],
    reader: Reader,
    vault: Vault,
    now: datetime,
) -> MaskedDetails:
    """Return a citizen's details masked, and append to the log that the reader was shown them.

    What comes with the card number: sex, and whether the citizen is a minor today.
    """
    opened = {
        field: opened_detail(session, citizen_id=citizen_id, field=field, vault=vault)
        for field in fields
    }
    note_read(session, citizen_id=citizen_id, reader=reader, fields=fields, now=now)
    today = business_date(now)
    name, number, phone = opened.get("name"), opened.get("id_number"), opened.get("phone")
    card = read_id_card(number, today=today) if number else None
    return MaskedDetails(
        citizen_id=citizen_id,
        name=mask_name(name) if name else None,
        id_number=mask_id_number(number) if number else None,
        phone=mask_phone(phone) if phone else None,
        sex=card.sex if card else None,
        minor=is_minor(card.birth_date, today=today) if card else None,
    )


def claim_id_number(
    session: Session, *, citizen_id: str, number: str, vault: Vault, now: datetime
) -> bool:
    """Make a card number this citizen's, or tell that it is another's."""
    claim = insert(KnownIdNumber).values(
        number_index=vault.blind_index(number, purpose=ID_NUMBER_INDEX),
        citizen_id=citizen_id,
        recorded_at=now,
    )
    claimed = session.scalar(claim.on_conflict_do_nothing().returning(KnownIdNumber.citizen_id))
    return claimed is not None


def lock_citizen(session: Session, *, citizen_id: str) -> None:
    """Let one transaction at a time change what belongs to a citizen. Raises CitizenNotFound."""
    locked = session.scalar(
        select(Citizen.citizen_id).where(Citizen.citizen_id == citizen_id).with_for_update()
    )
    if locked is None:
        raise CitizenNotFound


def _record(session: Session, citizen_id: str, **columns: bytes | datetime) -> None:
    session.execute(
        insert(PersonalDetails)
        .values(citizen_id=citizen_id, **columns)
        .on_conflict_do_update(index_elements=[PersonalDetails.citizen_id], set_=columns)
    )
