"""Sessions and the shapes of what proves them."""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

OwnerKind = Literal["citizen", "staff"]

ACCESS_TOKEN_LIFE: Final = timedelta(minutes=15)
SECRET_BYTES: Final = 32
MOST_SESSIONS: Final = 20

_REFRESH_TOKEN: Final = re.compile(
    r"((?:cit|stf)_[0-9A-HJKMNP-TV-Z]{26})\.([A-Za-z0-9_-]{43})", re.ASCII
)
_KINDS: Final[dict[str, OwnerKind]] = {"cit": "citizen", "stf": "staff"}


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """How long a session lasts without a refresh, and at most."""

    idle: timedelta
    whole: timedelta


LIFETIMES: Final[dict[OwnerKind, Lifetime]] = {
    "citizen": Lifetime(idle=timedelta(days=30), whole=timedelta(days=180)),
    "staff": Lifetime(idle=timedelta(hours=1), whole=timedelta(hours=12)),
}


class Revocation(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "signed-out"
    REVOKED = "revoked"
    REUSED = "reused"  # A refresh token came back that had been exchanged: somebody has a copy.
    CROWDED = "crowded"
    DISABLED = "disabled"  # Of staff, also by a new password.


class StaffRole(StrEnum):
    """What a member of staff may do."""

    FINANCE_CLERK = "finance-clerk"
    FINANCE_APPROVER = "finance-approver"
    OPERATOR = "operator"
    SUPPORT = "support"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


def kind_of(owner_id: str) -> OwnerKind | None:
    """Return whose id this is, from its prefix; None when it is neither a citizen's nor staff's."""
    return _KINDS.get(owner_id.partition("_")[0])


def refresh_token(owner_id: str, secret: str) -> str:
    """Return the token handed out: the owner's id, so that the shard is known, and 256 bits."""
    return f"{owner_id}.{secret}"


def owner_of(token: str) -> str | None:
    """Return the owner a refresh token names, or None when it cannot be one of ours."""
    match = _REFRESH_TOKEN.fullmatch(token)
    return match.group(1) if match else None


def digest(secret: str) -> bytes:
    """Return what is stored of a secret of 256 random bits: SHA-256 needs no salt for those."""
    return hashlib.sha256(secret.encode()).digest()
