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

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from simulator.certificates import authority, issue, pem, serial_name

PROVIDER_SIDE = "provider"
KEY_BITS = 2048

PUBLIC_KEY_MODE = {
    "app_private_key": "app_private_key.pem",
    "alipay_public_key": "alipay_public_key.pem",
}
CERTIFICATE_MODE = {
    "app_private_key": "app_private_key.pem",
    "app_cert": "app_cert.crt",
    "alipay_cert": "alipay_cert.crt",
    "alipay_root_cert": "alipay_root_cert.crt",
}


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
    certificates: bool = False,
) -> None:
    """Make one Alipay account, unless its keys exist, and point it at `gateway`.

    With `certificates` it is in certificate mode, else in public-key mode.
    """
    about_them = directory / PROVIDER_SIDE / f"{account_id}.toml"
    if not about_them.exists():
        identity = {"provider": "alipay", "app_id": app_id, "seller_id": seller_id}
        serials = make_alipay_keys(directory, account_id, certificates=certificates)
        write_toml(about_them, {**identity, **serials})
    known = tomllib.loads(about_them.read_text("utf-8"))
    names = CERTIFICATE_MODE if "alipay_cert_sn" in known else PUBLIC_KEY_MODE
    write_toml(
        directory / f"{account_id}.toml",
        {
            "provider": "alipay",
            "development": True,
            "app_id": known["app_id"],
            "seller_id": known["seller_id"],
            "gateway": gateway,
            **{name: f"{account_id}/{file}" for name, file in names.items()},
        },
    )


def point_alipay(directory: Path, *, gateway: str) -> None:
    """Point every Alipay account of a key set at `gateway`; make alipay-main if there is none."""
    made = sorted(app.account_id for app in alipay_apps(directory).values())
    for account_id in made or ["alipay-main"]:
        ensure_alipay(directory, gateway=gateway, account_id=account_id)


def make_alipay_keys(directory: Path, account_id: str, *, certificates: bool) -> dict[str, str]:
    """Make both sides' keys and return the certificates' serial numbers, if there are any."""
    ours, theirs = directory / account_id, directory / PROVIDER_SIDE / account_id
    app_key, alipay_key = new_key(), new_key()
    write_private(ours / "app_private_key.pem", app_key)
    write_private(theirs / "alipay_private_key.pem", alipay_key)
    write_public(theirs / "app_public_key.pem", app_key.public_key())
    if not certificates:
        write_public(ours / "alipay_public_key.pem", alipay_key.public_key())
        return {}
    root = authority("Simulated Root R1", new_key())
    other_root = authority("Simulated Root E1", ec.generate_private_key(ec.SECP256R1()))
    app_cert = issue(root, account_id, app_key.public_key())
    alipay_cert = issue(root, "Simulated Alipay", alipay_key.public_key())
    (ours / "app_cert.crt").write_bytes(pem(app_cert))
    (ours / "alipay_cert.crt").write_bytes(pem(alipay_cert))
    (ours / "alipay_root_cert.crt").write_bytes(pem(other_root.certificate, root.certificate))
    return {
        "app_cert_sn": serial_name(app_cert),
        "alipay_cert_sn": serial_name(alipay_cert),
        "alipay_root_cert_sn": serial_name(root.certificate),
    }


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
