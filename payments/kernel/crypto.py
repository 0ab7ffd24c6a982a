"""Encryption of personal data at rest, and keys read once per process.

A Vault token is `01 | length of key id | key id | nonce (12) | ciphertext and tag`. What stands
before the nonce is authenticated with it, and so is the context: a token copied to another row, or
relabelled with another key, does not open (OWASP ASVS V11, V14).
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
)

from payments.kernel.errors import QiantangError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # Random, so one key may seal 2^32 values (NIST SP 800-38D, 8.3).
SMALLEST_RSA_BITS: Final = 2048
TOKEN_VERSION: Final = 1

Key = TypeVar("Key", RSAPrivateKey, RSAPublicKey)

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_ARMOUR: Final = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")
_PRIVATE_KEYS_KEPT: Final = 64
_PUBLIC_KEYS_KEPT: Final = 1024


class DecryptionFailed(QiantangError):
    """A stored value does not open: altered, moved to another row, or sealed by a lost key."""

    code = "decryption-failed"


class KeyUnreadable(QiantangError):
    """A key is not of the kind or the shape that was asked for; `detail` never shows it."""

    code = "key-unreadable"


class Vault:
    """AES-256-GCM per field, with several keys of which one is current, and blind indexes.

    `keys` are 32 bytes each, named by an id of up to 32 characters; `index_key` is 32 bytes more.
    The index key cannot be rotated without rebuilding every index, so it never encrypts anything.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes) -> None:
        for name, key in keys.items():
            if not _KEY_ID.fullmatch(name):
                raise KeyUnreadable(f"{name!r} is no key id: use 1-32 letters, digits, _ . -")
            if len(key) != KEY_BYTES:
                raise KeyUnreadable(f"data key {name!r} must be {KEY_BYTES} bytes")
            if hmac.compare_digest(key, index_key):
                raise KeyUnreadable(f"data key {name!r} must differ from the index key")
        if current not in keys:
            raise KeyUnreadable(f"the current data key {current!r} is not among the keys")
        if len(index_key) != KEY_BYTES:
            raise KeyUnreadable(f"the index key must be {KEY_BYTES} bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._header = bytes([TOKEN_VERSION, len(current)]) + current.encode("ascii")
        self._current = current
        self._index_key = index_key

    def encrypt(self, plaintext: str, *, context: str) -> bytes:
        """Encrypt a text for one place, `context` being "schema.table.column.row-id"."""
        return self.seal(plaintext.encode(), context=context)

    def decrypt(self, token: bytes, *, context: str) -> str:
        """Return what `encrypt` was given for the same context. Raises DecryptionFailed."""
        return self.open(token, context=context).decode()

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Encrypt bytes for one place; as `encrypt`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = self._ciphers[self._current]
        return (
            self._header + nonce + cipher.encrypt(nonce, plaintext, _bound(self._header, context))
        )

    def open(self, token: bytes, *, context: str) -> bytes:
        """Return what `seal` was given for the same context. Raises DecryptionFailed."""
        name, start = _key_id(token)
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise DecryptionFailed(f"the data key {name!r} is not among the keys")
        nonce, sealed = token[start : start + NONCE_BYTES], token[start + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, sealed, _bound(token[:start], context))
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed("the value was altered or belongs to another place") from error

    def needs_reencryption(self, token: bytes) -> bool:
        """Tell whether a token was sealed by a key that is no longer the current one."""
        return _key_id(token)[0] != self._current

    def blind_index(self, value: str, *, purpose: str) -> bytes:
        """Return 32 bytes by which equal values are found; the caller normalises `value` first.

        `purpose` is "schema.table.column"; indexes of different purposes cannot be compared.
        """
        key = hmac.digest(self._index_key, b"purpose\x00" + purpose.encode(), "sha256")
        return hmac.digest(key, value.encode(), "sha256")


def same(left: bytes | str, right: bytes | str) -> bool:
    """Compare in a time that tells nothing of where the two differ."""
    return hmac.compare_digest(_octets(left), _octets(right))


def read_key_bytes(text: str) -> bytes:
    """Return the 32 bytes of a key given as base64. Raises KeyUnreadable."""
    key = _base64(text)
    if len(key) != KEY_BYTES:
        raise KeyUnreadable(f"a data key must be the base64 of {KEY_BYTES} bytes")
    return key


@lru_cache(_PRIVATE_KEYS_KEPT)
def load_rsa_private_key(text: str) -> RSAPrivateKey:
    """Return an RSA key from PKCS#1 or PKCS#8, in PEM or as bare base64. Raises KeyUnreadable.

    OpenSSL checks the key, which takes 37 ms for 2048 bits; the second call costs nothing.
    """
    try:
        key = load_der_private_key(_base64(text), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnreadable("not an RSA private key in PKCS#1 or PKCS#8") from error
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnreadable("not an RSA private key")
    return _long_enough(key)


@lru_cache(_PUBLIC_KEYS_KEPT)
def load_rsa_public_key(text: str) -> RSAPublicKey:
    """Return an RSA key from SPKI or PKCS#1, in PEM or as bare base64. Raises KeyUnreadable."""
    try:
        key = load_der_public_key(_base64(text))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnreadable("not an RSA public key in SPKI or PKCS#1") from error
    if not isinstance(key, RSAPublicKey):
        raise KeyUnreadable("not an RSA public key")
    return _long_enough(key)


@lru_cache(_PRIVATE_KEYS_KEPT)
def load_ed25519_private_key(text: str) -> Ed25519PrivateKey:
    """Return an Ed25519 key from PKCS#8 or its 32 raw bytes, in PEM or as bare base64."""
    octets = _base64(text)
    if len(octets) == KEY_BYTES:
        return Ed25519PrivateKey.from_private_bytes(octets)
    try:
        key = load_der_private_key(octets, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnreadable("not an Ed25519 private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnreadable("not an Ed25519 private key")
    return key


@lru_cache(_PUBLIC_KEYS_KEPT)
def load_ed25519_public_key(text: str) -> Ed25519PublicKey:
    """Return an Ed25519 key from SPKI or its 32 raw bytes, in PEM or as bare base64."""
    octets = _base64(text)
    try:
        if len(octets) == KEY_BYTES:
            return Ed25519PublicKey.from_public_bytes(octets)
        key = load_der_public_key(octets)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnreadable("not an Ed25519 public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnreadable("not an Ed25519 public key")
    return key


def _base64(text: str) -> bytes:
    """Decode with or without armour; what the armour claims is ignored, as consoles mislabel it."""
    bare = "".join(_ARMOUR.sub("", text).split())
    try:
        return base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyUnreadable("not base64, with or without PEM armour") from error


def _long_enough(key: Key) -> Key:
    if key.key_size < SMALLEST_RSA_BITS:
        raise KeyUnreadable(f"an RSA key of fewer than {SMALLEST_RSA_BITS} bits")
    return key


def _key_id(token: bytes) -> tuple[str, int]:
    start = 2 + token[1] if len(token) > 1 else 0
    if not start or token[0] != TOKEN_VERSION or len(token) < start + NONCE_BYTES:
        raise DecryptionFailed("not a sealed value")
    return token[2:start].decode("ascii", "replace"), start


def _bound(header: bytes, context: str) -> bytes:
    assert context, "a sealed value belongs to one place"
    return header + b"\x00" + context.encode()


def _octets(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
