"""What a merchant, a key and a callback endpoint may be; pure."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from payments.kernel.crypto import KeyUnreadable, load_ed25519_public_key
from payments.kernel.errors import Invalid
from payments.kernel.ids import PLATFORM_BOOK, BookId
from payments.kernel.states import Machine

NAME_MAX: Final = 120
EVENT_PATTERNS_MAX: Final = 32
NONCE_MIN: Final = 16
NONCE_MAX: Final = 64
PUBLIC_KEY_TEXT_MAX: Final = 1_000

_EVENT_PATTERN: Final = re.compile(r"\*|[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*(?:\.\*)?", re.ASCII)
_BOOK: Final = re.compile(r"[0-9A-Z]{6}", re.ASCII)
_NONCE: Final = re.compile(r"[A-Za-z0-9+/=_-]+", re.ASCII)

# Small-order points: anybody could sign for such a "key" (RFC 8032, section 8.4 leaves it to us).
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(point)
    for point in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    )
)


class CreditCodeInvalid(Invalid):
    """The unified social credit code is not one (GB 32100)."""

    code = "credit-code-invalid"
    zh = "统一社会信用代码不正确"
    en = "The unified social credit code is not valid"


class BookInvalid(Invalid):
    """The text cannot be the code of a merchant's book."""

    code = "book-invalid"
    zh = "账本代码不正确"
    en = "The book's code is not valid"


class PublicKeyInvalid(Invalid):
    """The text is no Ed25519 public key that can be trusted with anything."""

    code = "public-key-invalid"
    zh = "公钥不正确"
    en = "The public key is not valid"


class EventPatternInvalid(Invalid):
    """An event filter holds something that can match no event."""

    code = "event-pattern-invalid"
    zh = "事件过滤条件不正确"
    en = "The event filter is not valid"


class NameInvalid(Invalid):
    """A name is empty or too long."""

    code = "name-invalid"
    zh = "名称不正确"
    en = "The name is not valid"


class NonceInvalid(Invalid):
    """The nonce of a signed request is too short, too long or of odd characters."""

    code = "nonce-invalid"
    zh = "签名随机串不正确"
    en = "The nonce is not valid"


class MerchantStatus(StrEnum):
    """The life of a merchant; only an active one is listened to."""

    DRAFT = "draft"
    REVIEW = "review"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class MerchantEvent(StrEnum):
    """What can happen to a merchant."""

    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"


MERCHANT: Final = Machine(
    name="merchant",
    initial=MerchantStatus.DRAFT,
    table={
        (MerchantStatus.DRAFT, MerchantEvent.SUBMIT): MerchantStatus.REVIEW,
        (MerchantStatus.REVIEW, MerchantEvent.APPROVE): MerchantStatus.ACTIVE,
        (MerchantStatus.REVIEW, MerchantEvent.RETURN): MerchantStatus.DRAFT,
        (MerchantStatus.ACTIVE, MerchantEvent.SUSPEND): MerchantStatus.SUSPENDED,
        (MerchantStatus.SUSPENDED, MerchantEvent.RESUME): MerchantStatus.ACTIVE,
        (MerchantStatus.DRAFT, MerchantEvent.CLOSE): MerchantStatus.CLOSED,
        (MerchantStatus.REVIEW, MerchantEvent.CLOSE): MerchantStatus.CLOSED,
        (MerchantStatus.SUSPENDED, MerchantEvent.CLOSE): MerchantStatus.CLOSED,
    },
)


class DeviceKind(StrEnum):
    """The machines that sign for themselves."""

    KIOSK = "kiosk"
    GATE = "gate"
    GANTRY = "gantry"
    TERMINAL = "terminal"


class KeyOwner(StrEnum):
    """Whose signature a key makes."""

    MERCHANT = "merchant"
    DEVICE = "device"


class KeyAlgorithm(StrEnum):
    """Signature algorithms by their names in RFC 9421; the stored key decides, never a request."""

    ED25519 = "ed25519"


class EndpointStatus(StrEnum):
    """Whether callbacks are sent to an endpoint."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """Why an endpoint gets no callbacks: its owner's wish, its 410, or days of failure."""

    OWNER = "owner"
    GONE = "gone"
    FAILING = "failing"


class SecretKind(StrEnum):
    """How a callback is signed, by the names of Standard Webhooks: HMAC-SHA256 or Ed25519."""

    HMAC = "v1"
    ED25519 = "v1a"


def name(text: str) -> str:
    """Return a name without superfluous space. Raises NameInvalid when it is empty or too long."""
    plain = " ".join(text.split())
    if not 1 <= len(plain) <= NAME_MAX:
        raise NameInvalid(detail=f"1 to {NAME_MAX} characters")
    return plain


def credit_code(text: str) -> str:
    """Return a unified social credit code in its plain form (GB 32100-2015, check digit included).

    Raises CreditCodeInvalid.
    """
    try:
        return str(uscc.validate(text))
    except ValidationError as error:
        raise CreditCodeInvalid(detail=type(error).__name__) from error


def book(text: str) -> BookId:
    """Return the code of a merchant's book: six of 0-9 and A-Z, and not the platform's own.

    Raises BookInvalid.
    """
    if not _BOOK.fullmatch(text) or text == PLATFORM_BOOK:
        raise BookInvalid(detail="six characters of 0-9 and A-Z, not the platform's own")
    return BookId(text)


def public_key(text: str) -> bytes:
    """Return the 32 bytes of an Ed25519 public key given as PEM or as base64 of the raw key.

    Raises PublicKeyInvalid, also for the eight points of small order.
    """
    try:
        key = load_ed25519_public_key(text[:PUBLIC_KEY_TEXT_MAX])
    except KeyUnreadable as error:
        raise PublicKeyInvalid(detail=error.detail) from error
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    if raw in _SMALL_ORDER:
        raise PublicKeyInvalid(detail="a point of small order")
    return raw


def event_patterns(patterns: Sequence[str]) -> list[str]:
    """Return an event filter, sorted and without repetition; raises EventPatternInvalid.

    A pattern is an event type ("order.paid"), a family ("order.*") or everything ("*").
    """
    if not 1 <= len(patterns) <= EVENT_PATTERNS_MAX:
        raise EventPatternInvalid(detail=f"give 1 to {EVENT_PATTERNS_MAX} patterns")
    for pattern in patterns:
        if not _EVENT_PATTERN.fullmatch(pattern):
            raise EventPatternInvalid(detail=f"not a pattern: {pattern[:40]!r}")
    return sorted(set(patterns))


def matches(patterns: Sequence[str], event_type: str) -> bool:
    """Tell whether an event filter lets an event type through."""
    return any(
        pattern in {"*", event_type}
        or (pattern.endswith(".*") and event_type.startswith(pattern[:-1]))
        for pattern in patterns
    )


def nonce(text: str) -> str:
    """Return a request's nonce. Raises NonceInvalid unless it has 16 to 64 plain characters."""
    if not (NONCE_MIN <= len(text) <= NONCE_MAX and _NONCE.fullmatch(text)):
        raise NonceInvalid(detail=f"{NONCE_MIN} to {NONCE_MAX} characters of base64 or hex")
    return text
