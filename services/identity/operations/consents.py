"""Consent by a one-time code: offered by the ward's side, redeemed by the guardian."""

from datetime import date, datetime

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from payments.kernel.clock import business_date
from payments.kernel.crypto import Vault
from payments.kernel.errors import Conflict, Forbidden, Invalid
from services.identity.models.families import ConsentCode, Guardianship
from services.identity.operations.guardianships import begin, check_guardian
from services.identity.queries.citizens import birth_date
from services.identity.queries.families import may_act_for
from services.identity.rules.consent_codes import code_hash
from services.identity.rules.family import (
    CONSENT_CODE_LIFE,
    Consent,
    Relation,
    end_of_guardianship,
    is_minor,
)


class ConsentIsPersonal(Forbidden):
    """An adult consents in a session of their own; for a minor a guardian may."""

    code = "consent-is-personal"
    zh = "须由本人授权"
    en = "Only the person concerned can consent"


class ConsentCodeRefused(Invalid):
    """The code is wrong, used, withdrawn or older than ten minutes."""

    code = "consent-code-refused"
    zh = "授权码无效或已过期"
    en = "The consent code is not valid"


class GuardianOfOneself(Conflict):
    """The code is the caller's own."""

    code = "guardian-of-oneself"
    zh = "不能成为自己的监护人"
    en = "Nobody is their own guardian"


def offer_consent(
    session: Session,
    *,
    citizen_id: str,
    consented_by: str,
    until: date | None,
    code: str,
    vault: Vault,
    now: datetime,
) -> datetime:
    """Let whoever is shown `code` become the citizen's guardian; return when the code dies.

    `consented_by` is the citizen, or for a minor a guardian. A new code withdraws the one before.
    Raises RealNameNeeded, ConsentIsPersonal and EndDateInvalid.
    """
    born = birth_date(session, citizen_id=citizen_id, vault=vault, now=now)
    end_of_guardianship(birth_date=born, until=until, now=now)
    _check_consent(session, citizen_id=citizen_id, consented_by=consented_by, born=born, now=now)
    session.execute(
        delete(ConsentCode).where(
            ConsentCode.citizen_id == citizen_id, ConsentCode.consented_by == consented_by
        )
    )
    expires_at = now + CONSENT_CODE_LIFE
    session.execute(
        insert(ConsentCode).values(
            code_hash=code_hash(code),
            citizen_id=citizen_id,
            consented_by=consented_by,
            until=until,
            offered_at=now,
            expires_at=expires_at,
        )
    )
    return expires_at


def redeem_consent(
    session: Session,
    *,
    guardian_id: str,
    relation: Relation,
    code: str,
    vault: Vault,
    now: datetime,
) -> Guardianship:
    """Become the guardian of whoever the code is from; a code works once.

    Raises ConsentCodeRefused, GuardianOfOneself, GuardianNotAdult, TooManyWards, AlreadyGuardian;
    then the code is as good as before.
    """
    taken = session.execute(
        update(ConsentCode)
        .where(
            ConsentCode.code_hash == code_hash(code),
            ConsentCode.redeemed_at.is_(None),
            ConsentCode.expires_at > now,
        )
        .values(redeemed_at=now)
        .returning(
            ConsentCode.citizen_id,
            ConsentCode.consented_by,
            ConsentCode.offered_at,
            ConsentCode.until,
        )
    ).one_or_none()
    if taken is None:
        raise ConsentCodeRefused
    citizen_id, consented_by, offered_at, until = taken
    if citizen_id == guardian_id:
        raise GuardianOfOneself
    check_guardian(session, guardian_id=guardian_id, vault=vault, now=now)
    born = birth_date(session, citizen_id=citizen_id, vault=vault, now=now)
    _check_consent(session, citizen_id=citizen_id, consented_by=consented_by, born=born, now=now)
    return begin(
        session,
        citizen_id=citizen_id,
        guardian_id=guardian_id,
        relation=relation,
        consent=Consent.CODE,
        consented_by=consented_by,
        consented_at=offered_at,
        ends_at=end_of_guardianship(birth_date=born, until=until, now=now),
        now=now,
    )


def _check_consent(
    session: Session, *, citizen_id: str, consented_by: str, born: date, now: datetime
) -> None:
    if consented_by == citizen_id:
        return
    minor = is_minor(born, today=business_date(now))
    if not minor or not may_act_for(session, actor_id=consented_by, citizen_id=citizen_id, now=now):
        raise ConsentIsPersonal
