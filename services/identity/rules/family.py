"""Who may act for whom, and until when.

A guardian declares a minor who is not known yet; everybody else consents with a one-time code shown
to the guardian. Civil Code of the PRC: article 17 (adult at 18), 27 and 28 (guardians).
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from payments.kernel.clock import business_date, start_of_business_date
from payments.kernel.errors import Conflict, Invalid

ADULT_AT_YEARS: Final = 18
MOST_WARDS: Final = 8
CONSENT_CODE_LIFE: Final = timedelta(minutes=10)
LONGEST_CONSENT: Final = timedelta(days=3 * 366)


class Relation(StrEnum):
    """What the ward is to the guardian."""

    CHILD = "child"
    GRANDCHILD = "grandchild"
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    SPOUSE = "spouse"
    WARD = "ward"  # By appointment (Civil Code 31, 32).


class Consent(StrEnum):
    """How the ward's side agreed: by the guardian's declaration, or with a code that was shown."""

    DECLARATION = "declaration"
    CODE = "code"


class EndReason(StrEnum):
    """Why a guardianship is over before or at its end date."""

    GUARDIAN = "guardian"
    WARD = "ward"
    LAPSED = "lapsed"


class GuardianNotAdult(Conflict):
    """A guardian has a real name and is 18 or older."""

    code = "guardian-not-adult"
    zh = "监护人须为实名认证的成年人"
    en = "A guardian is an adult with a real name on record"


class NotAMinor(Conflict):
    """An adult is not declared; an adult consents."""

    code = "not-a-minor"
    zh = "对方已成年，须由本人同意"
    en = "An adult consents in person"


class EndDateInvalid(Invalid):
    """A consent ends after today and within three years."""

    code = "end-date-invalid"
    zh = "截止日期不正确"
    en = "The end date is not valid"


def adult_on(birth_date: date) -> date:
    """Return the eighteenth birthday; for a 29 February, 1 March of a year without one."""
    year = birth_date.year + ADULT_AT_YEARS
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def is_minor(birth_date: date, *, today: date) -> bool:
    """Tell whether a person is under 18 on a Shanghai date."""
    return today < adult_on(birth_date)


def end_of_guardianship(*, birth_date: date, until: date | None, now: datetime) -> datetime:
    """Return when a guardianship ends: after the date agreed, and at 18 at the latest.

    `until` is the last day (Shanghai) and None means as long as allowed: for a minor to the
    eighteenth birthday, for an adult LONGEST_CONSENT. Raises EndDateInvalid.
    """
    today = business_date(now)
    minor = is_minor(birth_date, today=today)
    latest = adult_on(birth_date) if minor else today + LONGEST_CONSENT
    if until is None:
        return start_of_business_date(latest)
    if until < today or (not minor and until >= latest):
        raise EndDateInvalid("an end date is today or later, and for an adult within three years")
    return start_of_business_date(min(until + timedelta(days=1), latest))
