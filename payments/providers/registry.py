"""The accounts we hold at providers, loaded once from a directory; the adapters from entry points.

An adapter is an entry point in the group `payments.providers`: its name is what accounts write as
`provider`, its object is called `(account: AccountFile, *, http: HttpClient) -> Provider`.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Self

from payments.kernel.errors import NotFound
from payments.kernel.http import HttpClient
from payments.providers.accounts import AccountFile, AccountInvalid
from payments.providers.interface import Provider, Scene, SceneNotSupported

GROUP: Final = "payments.providers"

Opener = Callable[..., Provider]


class AccountUnknown(NotFound):
    """We hold no account of this name."""

    code = "account-unknown"
    zh = "没有该支付账户"
    en = "There is no such payment account"


class Providers:
    """Every account, by its id."""

    def __init__(self, accounts: Iterable[Provider]) -> None:
        self._accounts = {account.account_id: account for account in accounts}

    @classmethod
    def load(cls, directory: Path, *, http: HttpClient, production: bool) -> Self:
        """Open every account of a directory and load its keys. Raises AccountInvalid.

        In production at least one account is needed and development keys are refused; elsewhere a
        missing directory is an empty one.
        """
        openers = adapters()
        opened = []
        for path in sorted(directory.glob("*.toml")):
            account = AccountFile.read(path)
            if production and account.development:
                raise AccountInvalid(
                    f"{path.name}: remove it, its keys are development keys and this is production."
                )
            if account.provider not in openers:
                known = ", ".join(sorted(openers))
                raise AccountInvalid(f"{path.name}: set provider to one of: {known}.")
            opened.append(openers[account.provider](account, http=http))
        if production and not opened:
            raise AccountInvalid(f"{directory}: put one account file (*.toml) here at least.")
        return cls(opened)

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._accounts.values())

    def get(self, account_id: str) -> Provider:
        """Return an account. Raises AccountUnknown."""
        try:
            return self._accounts[account_id]
        except KeyError:
            raise AccountUnknown from None

    def choose(self, *, scene: Scene, provider_name: str) -> Provider:
        """Return the first account, by id, of a provider that offers a scene.

        Raises SceneNotSupported.
        """
        for account in self:
            if account.name == provider_name and scene in account.capabilities.scenes:
                return account
        raise SceneNotSupported(f"no account at {provider_name} offers {scene}")


def adapters() -> dict[str, Opener]:
    """Return what opens an account, by the provider's name."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}
