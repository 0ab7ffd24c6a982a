"""What a request, a task or a sweep is given to work with."""

from functools import cached_property
from typing import Any, Final

from flask import current_app

from payments.kernel.clock import Clock, OffsetClock, SystemClock
from payments.kernel.crypto import Vault
from payments.kernel.database import Database
from payments.kernel.http import GuardedHttpClient, HttpClient
from payments.providers.registry import Providers
from services.host.launching import database_urls
from services.host.settings import Settings

EXTENSION: Final = "qiantang"


class Platform:
    """The parts made once per process and handed to whoever acts.

    Each part is made when it is first used, so a command that needs no database needs none; a part
    given by keyword is used as it is.
    """

    def __init__(self, *, settings: Settings, **parts: Any) -> None:
        self.settings = settings
        unknown = sorted(set(parts) - PARTS)
        if unknown:
            raise TypeError(f"the platform has no part called {unknown[0]}")
        vars(self).update({name: part for name, part in parts.items() if part is not None})

    @cached_property
    def database(self) -> Database:
        """The database, as the runtime role. Raises DatabaseNotRunning."""
        return Database(database_urls(self.settings).runtime)

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock, or in a demonstration the one that can be moved."""
        file = self.settings.clock_offset_file
        return OffsetClock(file) if file else SystemClock()

    @cached_property
    def vault(self) -> Vault:
        """Encrypts personal data at rest."""
        ring = self.settings.keys.personal_data
        return Vault(ring.exposed(), ring.current, ring.index.get_secret_value())

    @cached_property
    def http(self) -> HttpClient:
        """Requests to providers."""
        return HttpClient()

    @cached_property
    def guarded_http(self) -> GuardedHttpClient:
        """Requests to addresses that merchants chose; never to private ones."""
        return GuardedHttpClient(allowed=self.settings.callback_hosts_allowed)

    @cached_property
    def providers(self) -> Providers:
        """The accounts at payment providers. Raises AccountInvalid."""
        settings = self.settings
        return Providers.load(
            settings.accounts_directory, http=self.http, production=settings.production
        )

    def load_keys(self) -> None:
        """Load every key now. Raises AccountInvalid or KeyUnreadable with a sentence."""
        _ = self.vault, self.providers

    def warm_up(self) -> None:
        """Make every part now, so that no request waits for it."""
        for name in sorted(PARTS):
            getattr(self, name)

    def forget_connections(self) -> None:
        """Drop what was inherited from another process, without closing it there."""
        if "database" in vars(self):
            self.database.engine.dispose(close=False)

    def close(self) -> None:
        """Close pooled connections that were opened."""
        if "database" in vars(self):
            self.database.close()


PARTS: Final = frozenset(
    name for name, value in vars(Platform).items() if isinstance(value, cached_property)
)


def current_platform() -> Platform:
    """Return the platform of the application that is handling this request."""
    platform = current_app.extensions[EXTENSION]
    assert isinstance(platform, Platform)
    return platform
