"""The resident identity card number of GB 11643: region, birth date, order and check digit.

A wrong check digit or an impossible birth date is an error. The region is a warning only: people
keep the code of a county that was renamed or merged since, and the published table of dated
counties does not know every one that was ever printed on a card.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from payments.kernel.errors import Invalid

OLDEST_YEARS: Final = 130
MASKED: Final = "********"

_SHAPE: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_ORDER_DIGIT: Final = 16  # Odd for men, even for women.


class Sex(StrEnum):
    """As the card's order digit says."""

    MALE = "male"
    FEMALE = "female"


class IdNumberInvalid(Invalid):
    """No card can bear this number; `detail` names the rule and never the number."""

    code = "id-number-invalid"
    zh = "身份证号码不正确"
    en = "The ID card number is not valid"


@dataclass(frozen=True, kw_only=True)
class IdCard:
    """A well-formed card number and what it says. `region_known` False is worth a warning."""

    number: str
    birth_date: date
    sex: Sex
    region_known: bool


def read_id_card(text: str, *, today: date) -> IdCard:
    """Read a card number as typed: full-width digits, spaces and a small x are forgiven.

    `today` is a Shanghai date. Raises IdNumberInvalid. Source: GB 11643-1999.
    """
    number = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if not _SHAPE.fullmatch(number):
        raise IdNumberInvalid("it has 17 digits and then a digit or X")
    if ric.calc_check_digit(number) != number[-1]:
        raise IdNumberInvalid("the check digit does not match")
    try:
        birth_date: date = ric.get_birth_date(number)
    except InvalidComponent:
        raise IdNumberInvalid("the birth date does not exist") from None
    if not today.year - OLDEST_YEARS <= birth_date.year or birth_date > today:
        raise IdNumberInvalid("the birth date is not that of a living person")
    return IdCard(
        number=number,
        birth_date=birth_date,
        sex=Sex.MALE if int(number[_ORDER_DIGIT]) % 2 else Sex.FEMALE,
        region_known=_region_known(number),
    )


def mask_id_number(number: str) -> str:
    """Return `330106********1017`: region and last four stay, the birth date does not."""
    return f"{number[:6]}{MASKED}{number[-4:]}"


def _region_known(number: str) -> bool:
    try:
        ric.get_birth_place(number)
    except (InvalidComponent, KeyError):  # Its table has provinces without counties.
        return False
    return True
