"""The application with played providers, and a citizen's front end in front of it."""

from typing import Any

from flask import Flask, Request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from payments.providers.registry import Providers
from services.callbacks.plugin import plugin as callbacks
from services.cashier.plugin import plugin as cashier
from services.host.access import Principal
from services.host.application import create_app
from services.host.manifest import Plugin, Title
from services.host.platform import Platform
from services.host.settings import Settings
from tests.support.paying import City


def signed_in_by_name(request: Request, _platform: Platform) -> Principal | None:
    """Take `Bearer cit_1` for the citizen of that id."""
    return Principal(kind="citizen", id=request.headers["Authorization"].split()[-1])


SIGN_IN = Plugin(
    name="signin",
    title=Title(zh="登录", en="Sign-in"),
    authenticators={"bearer": signed_in_by_name},
)


def app_of(city: City, *more: Plugin) -> Flask:
    """Return the application over a city's database, clock and providers."""
    return create_app(
        Settings(environment="development"),
        installed=(cashier, callbacks, SIGN_IN, *more),
        database=city.database,
        clock=city.clock,
        providers=Providers([city.alipay, city.wechat]),
    )


class FrontEnd:
    """One citizen's phone."""

    def __init__(self, client: FlaskClient, citizen_id: str = "cit_1") -> None:
        self._client = client
        self._citizen_id = citizen_id
        self._keys = 0

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._client.get(path, headers=self._headers(), **options)

    def post(
        self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> TestResponse:
        self._keys += 1
        headers = self._headers() | {
            "Idempotency-Key": key or f"{self._citizen_id}-{self._keys:06d}"
        }
        return self._client.post(path, json=body, headers=headers)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._citizen_id}"}
