"""What a request, a task or a sweep is given to work with."""

from typing import Any

from flask import current_app

from payments.kernel.clock import Clock
from payments.kernel.database import Database
from services.host.settings import Settings

EXTENSION = "qiantang"


class Platform:
    """The parts made once per process and handed to whoever acts."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        clock: Clock,
        providers: Any,
        vault: Any,
        http: Any,
    ) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.providers = providers
        self.vault = vault
        self.http = http


def current_platform() -> Platform:
    """Return the platform of the application that is handling this request."""
    platform = current_app.extensions[EXTENSION]
    assert isinstance(platform, Platform)
    return platform
