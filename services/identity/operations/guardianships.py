"""Guardianships begin by declaration or consent, and end by either side or in time."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.crypto import Vault
from payments.kernel.errors import Conflict
from payments.kernel.ids import new_id
from services.identity.models.families import Guardianship
from services.identity.operations.citizens import create_citizen
from services.identity.operations.personal_data import (
    ID_NUMBER_INDEX,
    lock_citizen,
    record_real_name,
)
from services.identity.queries.citizens import birth_date, citizen_of_id_number
from services.identity.queries.families import (
    guardianship,
    may_return,
    number_of_wards,
)
from services.identity.rules.family import (
    MOST_WARDS,
    Consent,
    EndReason,
    GuardianNotAdult,
    NotAMinor,
    Relation,
    end_of_guardianship,
    is_minor,
)
from services.identity.rules.id_cards import read_id_card


class ConsentNeeded(Conflict):
    """The person is on record already; they, or a guardian of theirs, consent with a code."""

    code = "consent-needed"
    zh = "对方已有账号，须凭授权码建立亲情关系"
    en = "This person is on record and consents with a code"


class AlreadyGuardian(Conflict):
    """The caller may act for this person already."""

    code = "already-guardian"
    zh = "已建立亲情关系"
    en = "You act for this person already"


class TooManyWards(Conflict):
    """A guardian acts for so many people at most."""

    code = "too-many-wards"
    zh = "亲情账户数量已达上限"
    en = "You act for as many people as one may"


class GuardianshipOver(Conflict):
    """The guardianship ended before."""

    code = "guardianship-over"
    zh = "亲情关系已解除"
    en = "The guardianship is over"


def declare_minor(
    session: Session,
    *,
    guardian_id: str,
    relation: Relation,
    name: str,
    id_number: str,
    vault: Vault,
    now: datetime,
) -> Guardianship:
    """Put a minor on record and make the caller the guardian, until the eighteenth birthday.

    A minor who is on record already has somebody to consent, so a declaration is not enough, or
    whoever knows a child's number could act for it; only a guardian whose time was over may return.
    Raises GuardianNotAdult, NotAMinor, TooManyWards, ConsentNeeded and what reading a card raises.
    """
    card = read_id_card(id_number, today=business_date(now))
    if not is_minor(card.birth_date, today=business_date(now)):
        raise NotAMinor
    check_guardian(session, guardian_id=guardian_id, vault=vault, now=now)
    number_index = vault.blind_index(card.number, purpose=ID_NUMBER_INDEX)
    citizen_id = citizen_of_id_number(session, number_index=number_index)
    if citizen_id is None:
        citizen_id = new_id("cit")
        create_citizen(session, citizen_id=citizen_id, now=now)
    elif not may_return(session, guardian_id=guardian_id, citizen_id=citizen_id, now=now):
        raise ConsentNeeded
    record_real_name(
        session, citizen_id=citizen_id, name=name, id_number=card.number, vault=vault, now=now
    )
    return begin(
        session,
        citizen_id=citizen_id,
        guardian_id=guardian_id,
        relation=relation,
        consent=Consent.DECLARATION,
        consented_by=guardian_id,
        consented_at=now,
        ends_at=end_of_guardianship(birth_date=card.birth_date, until=None, now=now),
        now=now,
    )


def end(session: Session, *, guardianship_id: str, party: str, now: datetime) -> None:
    """End a guardianship at once, by either side. Raises GuardianshipNotFound, GuardianshipOver."""
    found = guardianship(session, guardianship_id=guardianship_id, party=party)
    ended = session.scalar(
        update(Guardianship)
        .where(
            Guardianship.citizen_id == found.citizen_id,
            Guardianship.guardianship_id == guardianship_id,
            Guardianship.ended_at.is_(None),
            Guardianship.ends_at > now,
        )
        .values(
            ended_at=now,
            end_reason=EndReason.GUARDIAN if party == found.guardian_id else EndReason.WARD,
        )
        .returning(Guardianship.guardianship_id)
    )
    if ended is None:
        raise GuardianshipOver


def check_guardian(session: Session, *, guardian_id: str, vault: Vault, now: datetime) -> None:
    """Check that somebody may become a guardian once more.

    Holds their row, so that wards are counted by one transaction at a time. Raises RealNameNeeded,
    GuardianNotAdult and TooManyWards.
    """
    lock_citizen(session, citizen_id=guardian_id)
    born = birth_date(session, citizen_id=guardian_id, vault=vault, now=now)
    if is_minor(born, today=business_date(now)):
        raise GuardianNotAdult
    if number_of_wards(session, guardian_id=guardian_id, now=now) >= MOST_WARDS:
        raise TooManyWards


def begin(
    session: Session,
    *,
    citizen_id: str,
    guardian_id: str,
    relation: Relation,
    consent: Consent,
    consented_by: str,
    consented_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> Guardianship:
    """Make somebody the guardian now. Raises AlreadyGuardian when they are."""
    session.execute(
        update(Guardianship)
        .where(
            Guardianship.citizen_id == citizen_id,
            Guardianship.guardian_id == guardian_id,
            Guardianship.ended_at.is_(None),
            Guardianship.ends_at <= now,
        )
        .values(ended_at=Guardianship.ends_at, end_reason=EndReason.LAPSED)
    )
    begun: Guardianship | None = session.scalar(
        insert(Guardianship)
        .values(
            citizen_id=citizen_id,
            guardianship_id=new_id("grd"),
            guardian_id=guardian_id,
            relation=relation,
            consent=consent,
            consented_by=consented_by,
            consented_at=consented_at,
            started_at=now,
            ends_at=ends_at,
        )
        .on_conflict_do_nothing()
        .returning(Guardianship)
    )
    if begun is None:
        raise AlreadyGuardian
    return begun
