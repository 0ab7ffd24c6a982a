"""Development keys: made once into a directory that the platform and the simulator both read.

    <directory>/alipay-main.toml              read by the platform: one file an account
    <directory>/alipay-main/…                 its private key and the provider's public key
    <directory>/provider/alipay-main.toml     read by the simulator, never by the platform
    <directory>/provider/alipay-main/…        the provider's private key and the app's public key

Every account says `development = true`; the platform refuses such accounts in production.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

PROVIDER_SIDE = "provider"
KEY_BITS = 2048


@dataclass(frozen=True, kw_only=True)
class AlipayApp:
    """An application as Alipay knows it. `alipay_cert_sn` is set in certificate mode."""

    account_id: str
    app_id: str
    seller_id: str
    app_public_key: rsa.RSAPublicKey
    alipay_private_key: rsa.RSAPrivateKey
    alipay_cert_sn: str = ""
    app_cert_sn: str = ""
    alipay_root_cert_sn: str = ""


def ensure_alipay(
    directory: Path,
    *,
    gateway: str,
    account_id: str = "alipay-main",
    app_id: str = "2021000000000001",
    seller_id: str = "2088000000000002",
) -> None:
    """Make one Alipay account in public-key mode, unless its keys exist; point it at `gateway`."""
    ours, theirs = directory / account_id, directory / PROVIDER_SIDE / account_id
    about_them = directory / PROVIDER_SIDE / f"{account_id}.toml"
    if not about_them.exists():
        app_key, alipay_key = new_key(), new_key()
        write_private(ours / "app_private_key.pem", app_key)
        write_public(ours / "alipay_public_key.pem", alipay_key.public_key())
        write_private(theirs / "alipay_private_key.pem", alipay_key)
        write_public(theirs / "app_public_key.pem", app_key.public_key())
        write_toml(about_them, {"provider": "alipay", "app_id": app_id, "seller_id": seller_id})
    known = tomllib.loads(about_them.read_text("utf-8"))
    write_toml(
        directory / f"{account_id}.toml",
        {
            "provider": "alipay",
            "development": True,
            "app_id": known["app_id"],
            "seller_id": known["seller_id"],
            "gateway": gateway,
            "app_private_key": f"{account_id}/app_private_key.pem",
            "alipay_public_key": f"{account_id}/alipay_public_key.pem",
        },
    )


def alipay_apps(directory: Path) -> dict[str, AlipayApp]:
    """Return the applications the simulated Alipay knows, by app_id."""
    apps = {}
    for path in sorted((directory / PROVIDER_SIDE).glob("*.toml")):
        known = tomllib.loads(path.read_text("utf-8"))
        if known["provider"] != "alipay":
            continue
        keys = path.with_suffix("")
        apps[known["app_id"]] = AlipayApp(
            account_id=path.stem,
            app_id=known["app_id"],
            seller_id=known["seller_id"],
            app_public_key=read_public(keys / "app_public_key.pem"),
            alipay_private_key=read_private(keys / "alipay_private_key.pem"),
            alipay_cert_sn=known.get("alipay_cert_sn", ""),
            app_cert_sn=known.get("app_cert_sn", ""),
            alipay_root_cert_sn=known.get("alipay_root_cert_sn", ""),
        )
    return apps


def new_key() -> rsa.RSAPrivateKey:
    """Return a fresh RSA key of the size providers ask for."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def read_private(path: Path) -> rsa.RSAPrivateKey:
    """Read an RSA private key in PEM."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path} is not an RSA key")
    return key


def read_public(path: Path) -> rsa.RSAPublicKey:
    """Read an RSA public key in PEM."""
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError(f"{path} is not an RSA key")
    return key


def write_private(path: Path, key: rsa.RSAPrivateKey) -> None:
    """Write a private key that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_public(path: Path, key: rsa.RSAPublicKey) -> None:
    """Write a public key in PEM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def write_toml(path: Path, values: Mapping[str, str | bool]) -> None:
    """Write a flat TOML file of texts and truths."""
    lines = [
        f"{name} = {str(value).lower()}" if isinstance(value, bool) else f'{name} = "{value}"'
        for name, value in values.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
