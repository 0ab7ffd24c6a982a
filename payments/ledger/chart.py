"""Rules of the chart of accounts: which accounts have a bound.

A domain declares, when it is imported, which family of its accounts may not run below (or above) a
balance; an account opened under such a name keeps that bound for ever. An account without a bound
takes no lock when it is posted to, so only what must be guarded is declared here.
"""

import re
from dataclasses import dataclass
from typing import Final

from payments.ledger.rules import SEGMENT, check_account_name

_PLACEHOLDER: Final = re.compile(r"\{[a-z][a-z0-9_]*\}", re.ASCII)
_BOUNDS: Final[dict[str, "Bound"]] = {}


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Limits, in fen and in the account's normal direction, of what may be posted to it.

    `accounts` is a name with `{placeholders}` for whole segments: `liabilities:prepaid:{citizen}`.
    """

    accounts: str
    minimum_minor: int | None = 0
    maximum_minor: int | None = None

    @property
    def is_one(self) -> bool:
        """Whether it limits anything."""
        return (self.minimum_minor, self.maximum_minor) != (None, None)

    def covers(self, account: str) -> bool:
        """Say whether an account's name has this form."""
        pattern = _PLACEHOLDER.sub(lambda _: SEGMENT, self.accounts)
        return re.fullmatch(pattern, account, re.ASCII) is not None


UNBOUNDED: Final = Bound(accounts="", minimum_minor=None)


def declare(bound: Bound) -> Bound:
    """Make a bound known. Raises ValueError when another one is declared for the same form."""
    check_account_name(_PLACEHOLDER.sub("x", bound.accounts))
    if _BOUNDS.setdefault(bound.accounts, bound) != bound:
        raise ValueError(f"{bound.accounts} has a different bound already")
    return bound


def bound_of(account: str) -> Bound:
    """Return the bound an account opened now would have."""
    return next((bound for bound in _BOUNDS.values() if bound.covers(account)), UNBOUNDED)
