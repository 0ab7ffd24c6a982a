"""How the metro company joins: registered by an operator, then by its own signed requests."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulator.city.client import Client
from simulator.city.signatures import Signature
from simulator.city.stage import Stage
from simulator.clock import SimulatorClock

# The credit code is well formed, and nobody's.
MERCHANT: Final = """
book = "HZMTRO"
name_zh = "杭州地铁"
name_en = "Hangzhou Metro"
credit_code = "91330100MA0000000C"
key = "0.pem"
"""
DEVICE: Final = """
[[devices]]
kind = "kiosk"
name = "kiosk {number}"
key = "{number}.pem"
"""
NONCE_BYTES: Final = 16


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Somebody who signs every request: the company's server, or one of its kiosks."""

    platform: Client
    signature: Signature
    clock: SimulatorClock

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Send a signed request once, however often the network has to be tried."""
        key = {"Idempotency-Key": secrets.token_hex(NONCE_BYTES)}
        return self.platform.ask("POST", path, content, headers=key, sign=self._sign).content

    def _sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        now: datetime = self.clock.now()
        key = "Idempotency-Key"
        return self.signature.headers(
            method,
            url,
            body=body,
            also={key: headers[key]},
            created=now,
            nonce=secrets.token_urlsafe(NONCE_BYTES),
        )


@dataclass(frozen=True, kw_only=True)
class Company:
    """The metro company: its server and its kiosks."""

    merchant_id: str
    server: Signer
    kiosks: Sequence[Signer]

    def listen(self, url: str) -> str:
        """Have events told to `url` and return the secret to verify callbacks with."""
        answer = self.server.post(
            "/v1/merchants/endpoints", {"url": url, "events": ["*"], "signatures": ["v1"]}
        )
        (secret,) = answer["secrets"]
        return str(secret["secret"])


def register_metro(stage: Stage, *, clock: SimulatorClock, kiosks: int) -> Company:
    """Register the company, its kiosks and everybody's key, as an operator does."""
    folder = stage.directory / "metro"
    folder.mkdir(exist_ok=True)
    keys = [Ed25519PrivateKey.generate() for _ in range(1 + kiosks)]
    for number, key in enumerate(keys):
        write_public(folder / f"{number}.pem", key)
    devices = (DEVICE.format(number=number) for number in range(1, 1 + kiosks))
    file = folder / "metro.toml"
    file.write_text(MERCHANT + "".join(devices), "utf-8")
    known = stage.ask("merchants", "onboard", str(file))
    names = [known["key_id"], *(device["key_id"] for device in known["devices"])]
    server, *machines = [
        Signer(platform=stage.platform, signature=Signature(key_id=key_id, key=key), clock=clock)
        for key_id, key in zip(names, keys, strict=True)
    ]
    return Company(merchant_id=known["merchant_id"], server=server, kiosks=machines)


def write_public(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a public key as PEM."""
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
