"""An account at a provider, as its file describes it: one TOML file an account.

    provider = "alipay"
    app_id = "2021000000000001"
    seller_id = "2088000000000002"
    gateway = "https://openapi.alipay.com/gateway.do"
    app_private_key = "alipay-main/app_private_key.pem"      # relative to the TOML file
    alipay_public_key = "alipay-main/alipay_public_key.pem"

The file's name without `.toml` is the account's id, which stands in its callback address.
`development = true` marks keys that anybody may have; production refuses them.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from payments.kernel.errors import QiantangError

LARGEST_KEY_FILE_BYTES: Final = 64 * 1024
COMMON: Final = frozenset({"provider", "development", "app_id", "seller_id", "gateway"})

_ACCOUNT_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)


class AccountInvalid(QiantangError):
    """An account's file or keys cannot be used; `detail` is a sentence that says what to do."""

    code = "account-invalid"


@dataclass(frozen=True, kw_only=True)
class AccountFile:
    """What one account's file says, before its provider reads it."""

    path: Path
    account_id: str
    provider: str
    development: bool
    values: Mapping[str, object]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read an account's file. Raises AccountInvalid."""
        if not _ACCOUNT_ID.fullmatch(path.stem):
            raise AccountInvalid(
                f"{path.name}: rename it, an account's id is 1-32 of a-z, 0-9 and inner hyphens."
            )
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise AccountInvalid(f"{path.name}: it cannot be read as TOML ({error}).") from None
        account = cls(
            path=path,
            account_id=path.stem,
            provider=str(values.get("provider", "")),
            development=values.get("development") is True,
            values=values,
        )
        account.text("provider")
        return account

    @classmethod
    def only(cls, directory: Path, *, provider: str) -> Self | None:
        """Return the one account of a provider that a directory holds, or None when it has none.

        Raises AccountInvalid when there are several.
        """
        found = [cls.read(path) for path in sorted(directory.glob("*.toml"))]
        ours = [account for account in found if account.provider == provider]
        if len(ours) > 1:
            names = ", ".join(account.path.name for account in ours)
            raise AccountInvalid(f"{directory}: leave one {provider} account here, of {names}.")
        return ours[0] if ours else None

    def text(self, name: str) -> str:
        """Return a value that must be there. Raises AccountInvalid."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise AccountInvalid(f"{self.path.name}: set {name} to a text.")
        return value

    def has(self, name: str) -> bool:
        """Say whether a value is given."""
        return name in self.values

    def file(self, name: str) -> bytes:
        """Return the content of the file a value names. Raises AccountInvalid."""
        path = self.path.parent / self.text(name)
        try:
            if path.stat().st_size > LARGEST_KEY_FILE_BYTES:
                raise AccountInvalid(f"{self.path.name}: {name} names {path}, which is no key.")
            return path.read_bytes()
        except OSError:
            raise AccountInvalid(
                f"{self.path.name}: {name} names {path}, which cannot be read."
            ) from None

    def refuse_unknown(self, *known: str) -> None:
        """Refuse values that nobody reads: they are misspelt. Raises AccountInvalid."""
        unread = sorted(set(self.values) - COMMON - set(known))
        if unread:
            raise AccountInvalid(
                f"{self.path.name}: nothing reads {unread[0]}; correct its name or remove it."
            )
