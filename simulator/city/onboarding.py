"""How the metro company joins: registered by an operator, then by its own signed requests."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

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


def metro_company(stage: Stage, *, clock: SimulatorClock, kiosks: int) -> Company:
    """Return the company with its kiosks; an operator registers it when it is not yet known."""
    folder = stage.directory / "metro"
    answer = folder / "known.json"
    if not answer.exists():
        folder.mkdir(exist_ok=True)
        for number in range(1 + kiosks):
            make_key(folder, str(number))
        devices = (DEVICE.format(number=number) for number in range(1, 1 + kiosks))
        (folder / "metro.toml").write_text(MERCHANT + "".join(devices), "utf-8")
        answer.write_text(stage.flask("merchants", "onboard", str(folder / "metro.toml")), "utf-8")
    return known_company(folder, platform=stage.platform, clock=clock)


def known_company(folder: Path, *, platform: Client, clock: SimulatorClock) -> Company:
    """Return the company that was registered from a folder."""
    known = json.loads((folder / "known.json").read_text("utf-8"))
    names = [known["key_id"], *(device["key_id"] for device in known["devices"])]
    server, *machines = [
        Signer(
            platform=platform,
            signature=Signature(key_id=key_id, key=read_key(folder, str(number))),
            clock=clock,
        )
        for number, key_id in enumerate(names)
    ]
    return Company(merchant_id=known["merchant_id"], server=server, kiosks=machines)


def make_key(folder: Path, name: str) -> None:
    """Make a key pair: the private half for its owner only, the public one for the platform."""
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.key", folder / f"{name}.pem"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def read_key(folder: Path, name: str) -> Ed25519PrivateKey:
    """Read a private key that `make_key` made."""
    key = load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key
