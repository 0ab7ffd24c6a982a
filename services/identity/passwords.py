"""Passwords of staff: Argon2id (RFC 9106), in the encoded form that carries its own parameters.

Parameters are OWASP's minimum (19 MiB, two passes): some forty milliseconds a try.
"""

import secrets
import unicodedata
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from payments.kernel.errors import Invalid

SHORTEST: Final = 12
LONGEST: Final = 128
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
PASSES: Final = 2
LANES: Final = 1
MEMORY_KIB: Final = 19_456

# Of a password forgotten as it was made: tries for unknown usernames are held against it.
NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$EvAo+Vg/XnS+CUGoE9oZNQ"
    "$+7tOGMTDA5H9+MQvkXJ7fTpoDaManr1rrJ8pRQTbzJo"
)


class PasswordUnfit(Invalid):
    """Too short, too long, or the username again (NIST SP 800-63B, 5.1.1.2)."""

    code = "password-unfit"
    zh = "密码不符合要求"
    en = "The password is not acceptable"


def hash_password(password: str, *, username: str) -> str:
    """Return what is stored of a new password. Raises PasswordUnfit."""
    text = _one_form(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise PasswordUnfit(f"a password has {SHORTEST} to {LONGEST} characters")
    if username.casefold() in text.casefold():
        raise PasswordUnfit("a password does not hold the username")
    return _derive(text)


def password_matches(password: str, stored: str | None) -> bool:
    """Tell whether a password is the stored one; takes as long when nothing is stored."""
    try:
        Argon2id.verify_phc_encoded(_octets(_one_form(password)), stored or NOBODYS)
    except InvalidKey:
        return False
    return stored is not None


def _derive(text: str) -> str:
    return Argon2id(
        salt=secrets.token_bytes(SALT_BYTES),
        length=HASH_BYTES,
        iterations=PASSES,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    ).derive_phc_encoded(_octets(text))


def _one_form(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
