"""RSA2 over the strings Alipay defines, and the serial numbers it gives certificates.

RSA2 is RSASSA-PKCS1-v1_5 with SHA-256 and the only algorithm used here: what a message says of its
own `sign_type` never chooses one. Source: Alipay's open documentation, "signature" and "sync and
async verification"; agreed byte for byte by three independent SDKs.
"""

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning

from payments.kernel.crypto import KeyUnreadable

SIGN_TYPE: Final = "RSA2"

# Which fields of a notice its sign leaves out: trade notices by the first rule, some newer message
# notices by the second. The first is tried first.
NOTICE_RULES: Final = (frozenset({b"sign", b"sign_type"}), frozenset({b"sign"}))

_RSA_OIDS: Final = "1.2.840.113549.1.1"
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL
)


def request_content(parameters: Mapping[str, str]) -> str:
    """Return the string a request's sign covers: `sign_type` stays, empty values go."""
    return "&".join(
        f"{name}={parameters[name]}"
        for name in sorted(parameters)
        if name != "sign" and parameters[name]
    )


def notice_content(pairs: Iterable[tuple[bytes, bytes]], *, without: frozenset[bytes]) -> bytes:
    """Return the bytes a notice's sign covers: decoded once, empty values kept."""
    return b"&".join(
        b"%b=%b" % (name, value) for name, value in sorted(pairs) if name not in without
    )


def sign(content: bytes, key: RSAPrivateKey) -> str:
    """Return the base64 of the signature over `content`."""
    return base64.b64encode(key.sign(content, PKCS1v15(), SHA256())).decode("ascii")


def is_signed(content: bytes, signature: str, key: RSAPublicKey) -> bool:
    """Say whether `signature` is the canonical base64 of `key`'s signature over `content`."""
    try:
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode("ascii") != signature:
            return False
        key.verify(raw, content, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def certificate_key(pem: bytes) -> RSAPublicKey:
    """Return the RSA key of a certificate. Raises KeyUnreadable."""
    key = _certificate(pem).public_key()
    if not isinstance(key, RSAPublicKey):
        raise KeyUnreadable("the certificate's key is not an RSA key")
    return key


def certificate_sn(pem: bytes) -> str:
    """Return what Alipay calls a certificate's SN. Raises KeyUnreadable.

    It is the MD5 of the issuer, its parts in reverse order, followed by the serial in decimal.
    """
    return _sn(_certificate(pem))


def root_certificate_sn(bundle: bytes) -> str:
    """Return the SN of a root bundle: those of its RSA-signed members, joined by `_`, in order.

    The real bundle holds an SM2 certificate and one that `cryptography` cannot parse; neither
    counts. Raises KeyUnreadable when no member counts.
    """
    numbers = []
    for block in _CERTIFICATE.findall(bundle):
        try:
            certificate = _certificate(block)
            if certificate.signature_algorithm_oid.dotted_string.startswith(_RSA_OIDS):
                numbers.append(_sn(certificate))
        except KeyUnreadable:
            continue
    if not numbers:
        raise KeyUnreadable("the root bundle holds no RSA-signed certificate")
    return "_".join(numbers)


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_pem_x509_certificate(pem)
            _ = certificate.issuer, certificate.serial_number
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise KeyUnreadable("not a readable X.509 certificate in PEM") from error
    return certificate


def _sn(certificate: x509.Certificate) -> str:
    issuer = ",".join(
        f"{part.rfc4514_attribute_name}={_text(part.value)}"
        for names in reversed(certificate.issuer.rdns)
        for part in names
    )
    text = f"{issuer}{certificate.serial_number}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
