"""Yuan on the wire, fen inside."""

import re

LARGEST_MINOR = 10_000_000_000

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{1,2}))?", re.ASCII)


def fen(text: str) -> int:
    """Return the fen in a yuan text, 0.01 to 100000000. Raises ValueError."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"not an amount in yuan: {text!r}")
    amount_minor = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if not 1 <= amount_minor <= LARGEST_MINOR:
        raise ValueError(f"out of range: {text!r}")
    return amount_minor


def yuan(amount_minor: int) -> str:
    """Return fen as a yuan text with two places."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"
