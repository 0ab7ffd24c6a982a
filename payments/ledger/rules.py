"""Names of accounts, what the five types of account mean, and how a reservation ends. Pure."""

import re
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from payments.kernel.errors import Invalid
from payments.kernel.states import Machine

ACCOUNT_NAME_LENGTH: Final = 200
SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"

_SEGMENT: Final = re.compile(SEGMENT, re.ASCII)


class AccountType(StrEnum):
    """The five roots of the chart of accounts; the first segment of every account's name."""

    ASSETS = "assets"
    LIABILITIES = "liabilities"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSES = "expenses"

    @property
    def normal_sign(self) -> int:
        """1 where a debit balance is the normal one, -1 where a credit balance is."""
        return 1 if self in {AccountType.ASSETS, AccountType.EXPENSES} else -1


ACCOUNT_NAME_PATTERN: Final = f"^({'|'.join(AccountType)})(:{SEGMENT})+$"
_ACCOUNT_NAME: Final = re.compile(ACCOUNT_NAME_PATTERN, re.ASCII)


class AccountNameInvalid(Invalid):
    """Account names are colon paths such as `assets:due-from:QTPLAT`."""

    code = "account-name-invalid"
    zh = "科目名称不正确"
    en = "The account name is not valid"


def check_account_name(name: str) -> str:
    """Return the name when it is one an account may have. Raises AccountNameInvalid."""
    if len(name) > ACCOUNT_NAME_LENGTH or not _ACCOUNT_NAME.fullmatch(name):
        raise AccountNameInvalid(f"not an account name: {name[:80]!r}")
    return name


def check_segment(text: str) -> str:
    """Return the text when it may be one part of an account name. Raises AccountNameInvalid."""
    if not _SEGMENT.fullmatch(text):
        raise AccountNameInvalid(f"not a part of an account name: {text[:80]!r}")
    return text


def account_type(name: str) -> AccountType:
    """Return the type of a valid account name."""
    return AccountType(name.partition(":")[0])


def due_from(book_id: str) -> str:
    """Name the account that holds what another book owes this one."""
    return f"assets:due-from:{book_id}"


def due_to(book_id: str) -> str:
    """Name the account that holds what this book owes another one."""
    return f"liabilities:due-to:{book_id}"


class ReservationState(StrEnum):
    """Where a reservation stands; every state but the first is final."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class ReservationEvent(StrEnum):
    """What ends a reservation."""

    POST = "post"
    VOID = "void"
    EXPIRE = "expire"


RESERVATION: Final = Machine(
    "reservation",
    ReservationState.PENDING,
    MappingProxyType(
        {
            (ReservationState.PENDING, ReservationEvent.POST): ReservationState.POSTED,
            (ReservationState.PENDING, ReservationEvent.VOID): ReservationState.VOIDED,
            (ReservationState.PENDING, ReservationEvent.EXPIRE): ReservationState.EXPIRED,
        }
    ),
)
