"""Certificates of the simulated Alipay's certificate mode, and the serial numbers it gives them."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

LIFE = timedelta(days=20 * 365)
BEGINS = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority: its name, key and own certificate."""

    name: x509.Name
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def name_of(common_name: str) -> x509.Name:
    """Return a name with the four parts that Alipay's certificates have."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Simulated Ant"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Development only"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def authority(common_name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Authority:
    """Return an authority that signs its own certificate."""
    name = name_of(common_name)
    built = _builder(name, name).public_key(key.public_key())
    return Authority(name=name, key=key, certificate=built.sign(key, SHA256()))


def issue(issuer: Authority, common_name: str, key: rsa.RSAPublicKey) -> x509.Certificate:
    """Return a certificate for `key`."""
    return _builder(name_of(common_name), issuer.name).public_key(key).sign(issuer.key, SHA256())


def pem(*certificates: x509.Certificate) -> bytes:
    """Return certificates as one PEM bundle, a blank line between two, as in Alipay's."""
    return b"\n".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def serial_name(certificate: x509.Certificate) -> str:
    """Return a certificate's SN: the MD5 of its issuer in RFC 4514 order and its serial."""
    text = f"{certificate.issuer.rfc4514_string()}{certificate.serial_number}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _builder(subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(BEGINS + LIFE)
    )
