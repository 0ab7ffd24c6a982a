"""Mobile numbers of the Chinese mainland. Which prefixes exist is data, because it changes.

`data/mobile-prefixes.csv` lists the three-digit prefixes given to people's phones (numbers of
machines have prefixes of their own); an installation edits it when a new one is issued.
"""

import csv
import re
import unicodedata
from functools import cache
from importlib import resources
from typing import Final

from payments.kernel.errors import Invalid

PREFIX_DIGITS: Final = 3
FEWEST_PREFIXES: Final = 20

_SHAPE: Final = re.compile(r"(?:\+86|0086)?(1[0-9]{10})", re.ASCII)
_PREFIX: Final = re.compile(r"1[0-9]{2}", re.ASCII)
_GROUPING: Final = re.compile(r"[\s-]")


class PhoneInvalid(Invalid):
    """Not a mobile number of the mainland."""

    code = "phone-invalid"
    zh = "手机号码不正确"
    en = "The mobile number is not valid"


def read_phone(text: str) -> str:
    """Return the eleven digits of a number as typed, with or without +86. Raises PhoneInvalid."""
    match = _SHAPE.fullmatch(_GROUPING.sub("", unicodedata.normalize("NFKC", text)))
    if match is None:
        raise PhoneInvalid("a mobile number of the mainland has 11 digits and starts with 1")
    number = match.group(1)
    if number[:PREFIX_DIGITS] not in mobile_prefixes():
        raise PhoneInvalid("no phone has a number that starts like this")
    return number


def mask_phone(number: str) -> str:
    """Return `138****1234`."""
    return f"{number[:3]}****{number[-4:]}"


@cache
def mobile_prefixes() -> frozenset[str]:
    """Return the prefixes in use. Raises ValueError with a sentence when the file is wrong."""
    text = resources.files("services.identity").joinpath("data/mobile-prefixes.csv")
    rows = list(csv.DictReader(text.read_text("utf-8").splitlines()))
    prefixes = [row["prefix"] for row in rows]
    wrong = [prefix for prefix in prefixes if not _PREFIX.fullmatch(prefix)]
    if wrong or len(set(prefixes)) != len(prefixes) or len(prefixes) < FEWEST_PREFIXES:
        raise ValueError(f"correct mobile-prefixes.csv: distinct prefixes 1xx, not {wrong}")
    return frozenset(prefixes)
