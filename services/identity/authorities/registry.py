"""The authorities of an installation: the Alipay accounts, and the files under `sign-in`.

An app that signs people in and is not paid has a file of its own in the folder `sign-in` of the
accounts' directory:

    provider = "wechat"
    app_id = "wx0000000000000001"
    gateway = "https://api.weixin.qq.com"
    app_secret = "wechat-mini/app_secret"      # relative to the TOML file
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from payments.kernel.http import HttpClient
from payments.providers.accounts import AccountFile, AccountInvalid
from payments.providers.alipay.adapter import Alipay
from payments.providers.interface import Provider
from services.host.platform import Platform
from services.identity.authorities.alipay import AlipayAuthority
from services.identity.authorities.interface import Authority, AuthorityUnknown
from services.identity.authorities.wechat import open_wechat
from services.identity.rules.subjects import SignInProvider

FOLDER: Final = "sign-in"


class Authorities:
    """Every app whose users can sign in here."""

    def __init__(self, authorities: Iterable[Authority]) -> None:
        self._authorities = tuple(authorities)

    def choose(self, *, provider: SignInProvider, app_id: str | None) -> Authority:
        """Return the app named, or the provider's first. Raises AuthorityUnknown."""
        for authority in self._authorities:
            if authority.provider == provider and app_id in {None, authority.app_id}:
                return authority
        raise AuthorityUnknown


def authorities_of(
    accounts: Iterable[Provider], *, directory: Path, http: HttpClient, production: bool
) -> Authorities:
    """Return the authorities of an installation. Raises AccountInvalid."""
    alipay = [AlipayAuthority(account) for account in accounts if isinstance(account, Alipay)]
    return Authorities((*alipay, *_sign_in_apps(directory / FOLDER, http, production)))


def current_authorities(platform: Platform) -> Authorities:
    """Return the authorities of the platform that is handling a request."""
    settings = platform.settings
    return authorities_of(
        platform.providers,
        directory=settings.accounts_directory,
        http=platform.http,
        production=settings.production,
    )


@lru_cache(8)
def _sign_in_apps(
    directory: Path,
    http: HttpClient,
    production: bool,  # noqa: FBT001  cached by position
) -> tuple[Authority, ...]:
    opened = []
    for path in sorted(directory.glob("*.toml")):
        account = AccountFile.read(path)
        if production and account.development:
            raise AccountInvalid(
                f"{path.name}: remove it, its keys are development keys and this is production."
            )
        if account.provider != SignInProvider.WECHAT:
            raise AccountInvalid(f"{path.name}: set provider to wechat.")
        opened.append(open_wechat(account, http=http))
    return tuple(opened)
