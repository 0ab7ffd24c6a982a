"""RSA2 as the provider does it: check what merchants sign, sign what merchants check."""

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256


def request_content(parameters: Mapping[str, str]) -> str:
    """Return the string a request's sign covers: all but `sign` and empty values, sorted."""
    return "&".join(
        f"{name}={parameters[name]}"
        for name in sorted(parameters)
        if name != "sign" and parameters[name] != ""
    )


def notice_content(fields: Mapping[str, str]) -> str:
    """Return the string a trade notice's sign covers: all but `sign` and `sign_type`, sorted."""
    return "&".join(
        f"{name}={fields[name]}" for name in sorted(fields) if name not in {"sign", "sign_type"}
    )


def sign(content: bytes, key: RSAPrivateKey) -> str:
    """Return the base64 of the RSA2 signature over `content`."""
    return base64.b64encode(key.sign(content, PKCS1v15(), SHA256())).decode("ascii")


def is_signed(content: bytes, signature: str, key: RSAPublicKey) -> bool:
    """Say whether `signature` is `key`'s over `content`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), content, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
