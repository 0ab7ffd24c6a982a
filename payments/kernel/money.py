"""Amounts are integers in fen; `float` never meets an amount."""

import re
from typing import Final

from payments.kernel.errors import Invalid

CNY: Final = "CNY"
FEN_PER_YUAN: Final = 100
LARGEST_AMOUNT_MINOR: Final = 10_000_000_000  # Alipay's upper limit: 100,000,000.00 yuan.

_YUAN = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{1,2}))?", re.ASCII)


class AmountInvalid(Invalid):
    """The text or number is not an amount of money we accept."""

    code = "amount-invalid"
    zh = "金额不正确"
    en = "The amount is not valid"


def parse_yuan(text: str) -> int:
    """Return the fen in a decimal yuan text such as "88.8" or "88.88".

    Raises AmountInvalid for signs, spaces, exponents, full-width digits and more than two decimals.
    """
    match = _YUAN.fullmatch(text)
    if match is None:
        raise AmountInvalid(detail=f"not a yuan amount: {text[:40]!r}")
    whole, decimals = match.groups()
    return int(whole) * FEN_PER_YUAN + int((decimals or "0").ljust(2, "0"))


def format_yuan(amount_minor: int) -> str:
    """Return fen as yuan with exactly two decimals, the form every provider accepts."""
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), FEN_PER_YUAN)
    return f"{sign}{whole}.{rest:02d}"
