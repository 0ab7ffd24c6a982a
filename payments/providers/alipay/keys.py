"""The keys of an account, loaded once, and the names they go by when no account file names them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from payments.kernel.crypto import KeyUnreadable, load_rsa_private_key, load_rsa_public_key
from payments.providers.accounts import AccountFile, AccountInvalid
from payments.providers.alipay import signing, wire

CERTIFICATES: Final = ("app_cert", "alipay_cert", "alipay_root_cert")
VALUES: Final = ("app_private_key", "alipay_public_key", *CERTIFICATES)

# Besides our own names, those of Alipay's console and key tool.
CUSTOMARY_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "app_private_key": ("app_private_key.*", "alipay_app", "alipay_app.pem", "应用私钥*"),
        "alipay_public_key": (
            "alipay_public_key.*",
            "alipay_platform.pub*",
            "alipayPublicKey_RSA2.*",
            "支付宝公钥*",
        ),
        "alipay_cert": ("alipay_cert.*", "alipayCertPublicKey_RSA2.*"),
    }
)


def in_directory(directory: Path, *names: str) -> AccountFile:
    """Return an account of the key files that lie in a directory without an account file.

    At least one of `names` must be found. Raises AccountInvalid.
    """
    found = {
        name: paths[0].name
        for name, patterns in CUSTOMARY_NAMES.items()
        if (paths := _files(directory, patterns))
    }
    if not found.keys() & set(names):
        looked_for = ", ".join(CUSTOMARY_NAMES[name][0] for name in names)
        raise AccountInvalid(
            f"{directory}: put an alipay account file (*.toml) here, or one of {looked_for}."
        )
    return AccountFile(
        path=directory / directory.name,
        account_id="",
        provider="alipay",
        development=True,
        values=found,
    )


def load_credentials(account: AccountFile) -> wire.Credentials:
    """Load the keys of an account. Raises AccountInvalid."""
    serials: dict[str, str] = {}
    with readable(account):
        if any(account.has(name) for name in CERTIFICATES):
            serials = {
                "app_cert_sn": signing.certificate_sn(account.file("app_cert")),
                "alipay_root_cert_sn": signing.root_certificate_sn(
                    account.file("alipay_root_cert")
                ),
            }
        return wire.Credentials(
            app_id=account.text("app_id"),
            app_key=load_app_key(account),
            alipay=load_alipay_key(account),
            **serials,
        )


def load_app_key(account: AccountFile) -> RSAPrivateKey:
    """Load our own private key. Raises AccountInvalid."""
    with readable(account):
        return load_rsa_private_key(account.file("app_private_key").decode("utf-8"))


def load_alipay_key(account: AccountFile) -> wire.AlipayKey:
    """Load Alipay's key, from its certificate when there is one. Raises AccountInvalid."""
    with readable(account):
        if account.has("alipay_cert"):
            pem, name = account.file("alipay_cert"), PurePath(account.text("alipay_cert")).name
            serial = signing.certificate_sn(pem)
            return wire.AlipayKey(key=signing.certificate_key(pem), name=name, cert_sn=serial)
        text = account.file("alipay_public_key").decode("utf-8")
        name = PurePath(account.text("alipay_public_key")).name
        return wire.AlipayKey(key=load_rsa_public_key(text), name=name)


@contextmanager
def readable(account: AccountFile) -> Iterator[None]:
    """Turn an unreadable key into AccountInvalid, which names the account's file."""
    try:
        yield
    except (KeyUnreadable, UnicodeDecodeError) as error:
        detail = error.detail if isinstance(error, KeyUnreadable) else "not text"
        raise AccountInvalid(f"{account.path.name}: a key or certificate is {detail}.") from None


def _files(directory: Path, patterns: tuple[str, ...]) -> list[Path]:
    return [
        path for pattern in patterns for path in sorted(directory.glob(pattern)) if path.is_file()
    ]
