"""HTTP Message Signatures (RFC 9421) as a kiosk's or a merchant's engineer would write them.

Written from the standard and not with the library the platform verifies with, so that the two can
only agree by both being right. Ed25519; the body's digest is RFC 9530's `Content-Digest`.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LABEL: Final = "sig1"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Signs requests with one key, known to the platform as `key_id`."""

    key_id: str
    key: Ed25519PrivateKey

    def headers(
        self,
        method: str,
        url: str,
        *,
        body: bytes,
        also: Mapping[str, str],
        created: datetime,
        nonce: str,
    ) -> dict[str, str]:
        """Return the headers to add; the headers in `also` are covered as well."""
        covered = {"@method": method, "@target-uri": url}
        added: dict[str, str] = {}
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")
            added["Content-Digest"] = covered["content-digest"] = f"sha-256=:{digest}:"
        covered |= {name.lower(): value for name, value in also.items()}
        names = " ".join(f'"{name}"' for name in covered)
        parameters = (
            f"({names});created={int(created.timestamp())}"
            f';keyid="{self.key_id}";alg="ed25519";nonce="{nonce}"'
        )
        lines = [f'"{name}": {value}' for name, value in covered.items()]
        lines.append(f'"@signature-params": {parameters}')
        signed = base64.b64encode(self.key.sign("\n".join(lines).encode())).decode("ascii")
        return {
            **added,
            "Signature-Input": f"{LABEL}={parameters}",
            "Signature": f"{LABEL}=:{signed}:",
        }
