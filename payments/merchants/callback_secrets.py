"""The secrets that callbacks are signed with, in the text forms of Standard Webhooks.

`whsec_` is an HMAC key, `whsk_` an Ed25519 private key and `whpk_` its public key, each followed by
base64 (https://www.standardwebhooks.com, "signature scheme").
"""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from payments.merchants.rules import SecretKind

SECRET_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True)
class CallbackSecret:
    """A secret just made. `text` signs; `shown` is what the merchant gets to see, once."""

    kind: SecretKind
    text: str = field(repr=False)
    public_key: str | None = None

    @classmethod
    def generate(cls, kind: SecretKind) -> Self:
        """Make a fresh secret."""
        raw = secrets.token_bytes(SECRET_BYTES)
        coded = base64.b64encode(raw).decode()
        if kind is SecretKind.HMAC:
            return cls(kind=kind, text=f"whsec_{coded}")
        public = Ed25519PrivateKey.from_private_bytes(raw).public_key()
        public_text = base64.b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        return cls(kind=kind, text=f"whsk_{coded}", public_key=f"whpk_{public_text.decode()}")

    @property
    def shown(self) -> str:
        """What the merchant verifies with: the shared secret, or the public key only."""
        return self.public_key or self.text


def raw_secret(text: str) -> bytes:
    """Return the bytes of a `whsec_` or `whsk_` text."""
    return base64.b64decode(text.partition("_")[2])
