"""The authenticator "signature": whose signed request this is."""

from typing import Final

from flask import Request

from payments.kernel.errors import Forbidden
from payments.merchants import operations, queries
from payments.merchants.rules import KeyAlgorithm, MerchantStatus
from services.host.access import Principal
from services.host.platform import Platform
from services.merchants.signatures import (
    SignatureKeyUnknown,
    SignatureMalformed,
    SignedRequest,
    check_claim,
    read_claim,
    verify,
)

SIGNATURE_HEADERS: Final = ("Signature-Input", "Signature")


class MerchantNotActive(Forbidden):
    """The signature is right, and its merchant is not active."""

    code = "merchant-not-active"
    zh = "商户未启用或已停用"
    en = "The merchant is not active"


def authenticate(request: Request, platform: Platform) -> Principal | None:
    """Return the merchant or device that signed a request, None when nobody did.

    A device's role is what it is: kiosk, gate, gantry, terminal.

    The key is read anew each time, so a revocation counts from the next request on. A nonce is
    used up only by a signature that is right, so nobody can use up another's.
    """
    if not any(name in request.headers for name in SIGNATURE_HEADERS):
        return None
    now = platform.clock.now()
    signed = as_sent(request, public_url=platform.settings.public_url)
    claim = read_claim(signed)
    check_claim(claim, signed, now=now)
    with platform.database.read() as session:
        signer = queries.signer(session, key_id=claim.key_id)
    if signer is None or not signer.valid_at(now):
        raise SignatureKeyUnknown
    verify(signed, algorithm=KeyAlgorithm(signer.key.algorithm), public_key=signer.key.public_key)
    if signer.merchant.status != MerchantStatus.ACTIVE:
        raise MerchantNotActive
    with platform.database.transaction() as session:
        operations.remember_nonce(session, key_id=claim.key_id, nonce=claim.nonce, now=now)
    device = signer.device
    return Principal(
        kind="merchant" if device is None else "device",
        id=signer.merchant.merchant_id if device is None else device.device_id,
        merchant_id=signer.merchant.merchant_id,
        book_id=signer.merchant.book_id,
        roles=frozenset() if device is None else frozenset({device.kind}),
    )


def as_sent(request: Request, *, public_url: str) -> SignedRequest:
    """Return a request as its sender saw it: our public address and the target as on the wire.

    The address is the one we publish, not the Host header, so that a request signed for another
    installation that knows the same key is not taken for ours.
    """
    target = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    if not target.startswith("/"):
        raise SignatureMalformed("the request target is not a path")
    return SignedRequest(
        method=request.method,
        url=public_url.rstrip("/") + target,
        headers=request.headers,
        body=request.get_data(cache=True),
    )
