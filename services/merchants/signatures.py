"""HTTP Message Signatures (RFC 9421) on requests from merchants and devices; pure.

A request is accepted when one Ed25519 signature covers its method, its whole target, the digest of
its body (RFC 9530) and its Idempotency-Key, and was made within FRESHNESS of our clock. The key is
the one named by `keyid`; the algorithm is the key's own, whatever the request claims.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, cast

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    algorithms,
)
from werkzeug.datastructures import Headers

from payments.kernel.crypto import same
from payments.kernel.errors import Unauthenticated
from payments.merchants.rules import KeyAlgorithm, NonceInvalid, nonce

FRESHNESS: Final = timedelta(minutes=5)
KEY_ID_MAX: Final = 64

# One of these sets names the whole target; either may be used.
TARGETS: Final = (frozenset({"@target-uri"}), frozenset({"@authority", "@path", "@query"}))
COVERED_WHEN_PRESENT: Final = ("idempotency-key",)

ALGORITHMS: Final[Mapping[KeyAlgorithm, type[HTTPSignatureAlgorithm]]] = MappingProxyType(
    {KeyAlgorithm.ED25519: algorithms.ED25519}
)


class SignatureMalformed(Unauthenticated):
    """Signature-Input or Signature cannot be read, or holds not exactly one signature."""

    code = "signature-malformed"
    zh = "请求签名格式不正确"
    en = "The request's signature cannot be read"


class SignatureIncomplete(Unauthenticated):
    """The signature leaves out something it has to cover; `detail` names it."""

    code = "signature-incomplete"
    zh = "请求签名未覆盖必需的内容"
    en = "The signature does not cover what it must"


class SignatureStale(Unauthenticated):
    """The signature was made too long ago, or in the future, or has expired."""

    code = "signature-stale"
    zh = "请求签名已过期"
    en = "The signature is too old, or from the future"


class SignatureKeyUnknown(Unauthenticated):
    """No key of this id is valid now: unknown, not yet valid, expired and revoked look the same."""

    code = "signature-key-unknown"
    zh = "签名密钥不存在或已失效"
    en = "There is no such key, or it is no longer valid"


class SignatureMismatch(Unauthenticated):
    """The signature is not that of this request by this key."""

    code = "signature-mismatch"
    zh = "请求签名不匹配"
    en = "The signature does not match the request"


class DigestMismatch(Unauthenticated):
    """Content-Digest is missing, unreadable, without sha-256, or not that of the body."""

    code = "digest-mismatch"
    zh = "请求内容摘要不匹配"
    en = "The content digest does not match the body"


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """A request as it was sent: `url` is the absolute target, undecoded; `body` the raw bytes."""

    method: str
    url: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a signature says of itself, before it is believed."""

    key_id: str
    nonce: str
    created: datetime
    expires: datetime | None
    covered: frozenset[str]


def read_claim(request: SignedRequest) -> Claim:
    """Read what the one signature of a request says of itself. Raises SignatureMalformed."""
    covered, parameters = _only_signature(request.headers.get("Signature-Input", ""))
    key_id, text = parameters.get("keyid"), parameters.get("nonce")
    if type(key_id) is not str or not 1 <= len(key_id) <= KEY_ID_MAX or not key_id.isascii():
        raise SignatureMalformed("keyid is missing or not an id")
    if type(text) is not str:
        raise SignatureMalformed("nonce is missing or not a string")
    try:
        return Claim(
            key_id=key_id,
            nonce=nonce(text),
            created=_moment(parameters.get("created")),
            expires=_moment(parameters["expires"]) if "expires" in parameters else None,
            covered=covered,
        )
    except NonceInvalid as error:
        raise SignatureMalformed(f"nonce: {error.detail}") from error


def check_claim(claim: Claim, request: SignedRequest, *, now: datetime) -> None:
    """Check coverage, freshness and the body's digest.

    Raises SignatureIncomplete, SignatureStale, DigestMismatch.
    """
    if "@method" not in claim.covered:
        raise SignatureIncomplete("@method")
    if not any(target <= claim.covered for target in TARGETS):
        raise SignatureIncomplete("@target-uri, or @authority and @path and @query")
    if request.body and "content-digest" not in claim.covered:
        raise SignatureIncomplete("content-digest")
    for name in COVERED_WHEN_PRESENT:
        if name in request.headers and name not in claim.covered:
            raise SignatureIncomplete(name)
    if abs(now - claim.created) > FRESHNESS or (claim.expires and claim.expires <= now):
        raise SignatureStale(f"our clock says {now:%Y-%m-%dT%H:%M:%SZ}")
    if "content-digest" in claim.covered:
        _check_digest(request)


def verify(request: SignedRequest, *, algorithm: KeyAlgorithm, public_key: bytes) -> None:
    """Verify the signature with a stored key. Raises SignatureMismatch."""
    verifier = _Verifier(
        signature_algorithm=ALGORITHMS[algorithm],
        key_resolver=_OneKey(Ed25519PublicKey.from_public_bytes(public_key)),
    )
    try:
        verifier.verify(request, max_age=None)
    except HTTPMessageSignaturesException as error:
        raise SignatureMismatch from error


class _Verifier(HTTPMessageVerifier):
    """The library's verifier without its look at the machine's clock; `check_claim` did that."""

    def validate_created_and_expires(
        self, sig_input: Any, max_age: timedelta | None = None
    ) -> None:
        del sig_input, max_age


class _OneKey(HTTPSignatureKeyResolver):
    """Answers with the key that was looked up already."""

    def __init__(self, public_key: Ed25519PublicKey) -> None:
        self._public_key = public_key

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        del key_id
        return self._public_key


def _only_signature(field: str) -> tuple[frozenset[str], Mapping[str, Any]]:
    try:
        parsed = http_sf.parse(field.encode("latin-1"), tltype="dictionary")
    except (ValueError, UnicodeEncodeError) as error:
        raise SignatureMalformed("Signature-Input is not a structured field") from error
    members = list(cast("dict[str, Any]", parsed).values())
    if len(members) != 1 or not isinstance(members[0][0], list):
        raise SignatureMalformed("Signature-Input holds not exactly one signature")
    components, parameters = members[0]
    # A component with a parameter covers less than the whole, so it counts for nothing here.
    return frozenset(name for name, narrowed in components if not narrowed), parameters


def _moment(value: object) -> datetime:
    if type(value) is not int:
        raise SignatureMalformed("created is missing, or a moment is not a whole number")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise SignatureMalformed("a moment is out of range") from error


def _check_digest(request: SignedRequest) -> None:
    try:
        field = request.headers.get("Content-Digest", "").encode("latin-1")
        digests = cast("dict[str, Any]", http_sf.parse(field, tltype="dictionary"))
    except (ValueError, UnicodeEncodeError) as error:
        raise DigestMismatch("Content-Digest is not a structured field") from error
    claimed, _ = digests.get("sha-256", (None, None))
    if not isinstance(claimed, bytes):
        raise DigestMismatch("Content-Digest has no sha-256")
    if not same(claimed, hashlib.sha256(request.body).digest()):
        raise DigestMismatch
