"""Our own keys: for personal data, for tokens, and the secret that request keys derive from.

In production they are settings. In development they are made on first use and kept in
`.data/keys/development.json`, readable by its owner only.
"""

import base64
import binascii
import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Secret, model_validator

KEY_BYTES: Final = 32
DEVELOPMENT_FILE: Final = "development.json"


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError(f"a key is {KEY_BYTES} bytes in base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} bytes in base64, this one has {len(key)}")
    return key


SecretKey = Annotated[Secret[bytes], BeforeValidator(_decoded)]


class KeyRing(BaseModel):
    """Keys by their id; `current` is the one that new things are made with.

    To rotate, add a key and make it current; remove the old one when nothing uses it any more. As a
    setting: `{"current": "2026a", "keys": {"2026a": "<32 bytes in base64>"}}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    current: str
    keys: dict[str, SecretKey]

    @model_validator(mode="after")
    def check_current(self) -> Self:
        """Refuse a ring whose current key is not in it."""
        if self.current not in self.keys:
            raise ValueError("the current key is not among the keys")
        return self

    def exposed(self) -> dict[str, bytes]:
        """Return the keys as bytes, for the one place that uses them."""
        return {key_id: key.get_secret_value() for key_id, key in self.keys.items()}


class PersonalDataKeys(KeyRing):
    """The ring that encrypts personal data, and the key of its blind index, which never rotates."""

    index: SecretKey


@dataclass(frozen=True, kw_only=True)
class Keys:
    """All keys of the platform itself; providers' keys lie with their accounts.

    `tokens` are Ed25519 seeds (RFC 8032) and sign access tokens; `secret` derives request keys.
    """

    personal_data: PersonalDataKeys
    tokens: KeyRing
    secret: Secret[bytes]


def development_keys(directory: Path) -> Keys:
    """Return the keys kept in `directory`, making them when there are none."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / DEVELOPMENT_FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        stored: dict[str, Any] = json.loads(file.read() or "{}")
        if not stored:
            stored = _fresh_keys()
            json.dump(stored, file, indent=2)
    secret = _decoded(stored["secret"])
    assert isinstance(secret, bytes)
    return Keys(
        personal_data=PersonalDataKeys.model_validate(stored["personal_data"]),
        tokens=KeyRing.model_validate(stored["tokens"]),
        secret=Secret(secret),
    )


def _fresh_keys() -> dict[str, Any]:
    def key() -> str:
        return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")

    return {
        "personal_data": {"current": "d1", "keys": {"d1": key()}, "index": key()},
        "tokens": {"current": "d1", "keys": {"d1": key()}},
        "secret": key(),
    }
