"""Requests signed as a merchant's or a device's client would sign them (RFC 9421)."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    algorithms,
)

PUBLIC_URL = "http://127.0.0.1:8000"  # The settings' own default.


@dataclass
class Outgoing:
    """A request as the signing library wants to see it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass
class Signer(HTTPSignatureKeyResolver):
    """Somebody with a private key. `key_id` is what the platform called its public half."""

    key_id: str = "key_unset"
    private_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> str:
        """The public half as base64 of its 32 bytes."""
        raw = self.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def resolve_private_key(self, key_id: str) -> Any:
        """Answer the library, which asks for keys by id."""
        del key_id
        return self.private_key

    def headers(
        self,
        method: str,
        target: str,
        *,
        created: datetime,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        covered: Sequence[str] | None = None,
        nonce: str | None = None,
        expires: datetime | None = None,
        base: str = PUBLIC_URL,
        algorithm: type[HTTPSignatureAlgorithm] = algorithms.ED25519,
    ) -> dict[str, str]:
        """Return the headers of a request to `target`, signature included."""
        given = dict(headers or {})
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            given.setdefault("Content-Digest", f"sha-256=:{digest}:")
        if covered is None:
            present = [name for name in ("Content-Digest", "Idempotency-Key") if name in given]
            covered = ("@method", "@target-uri", *(name.lower() for name in present))
        outgoing = Outgoing(method=method, url=base + target, headers=given)
        HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=self).sign(
            outgoing,
            key_id=self.key_id,
            created=created,
            expires=expires,
            nonce=uuid4().hex if nonce is None else nonce,
            covered_component_ids=covered,
        )
        return outgoing.headers
