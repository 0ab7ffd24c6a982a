"""Every address says who may call it and how it is repeated safely."""

import pytest

from services.host.access import Public, Required
from services.host.application import create_app
from services.host.routes import Route, current_routes
from services.host.settings import Settings

# Whoever adds a line here says with it that anybody on the internet may call it.
PUBLIC = {
    "GET /docs",
    "GET /docs/assets/<name>",
    "GET /docs/openapi.json",
    "GET /docs/start.js",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /v1/catalogue",
    "GET /v1/transit/fares",
    "GET /v1/transit/stations",
    "POST /callbacks/<string:provider>/<string:account_id>",
    "POST /v1/identity/sessions",
    "POST /v1/identity/sessions/refresh",
    "POST /v1/identity/staff-sessions",
}


@pytest.fixture(scope="module")
def routes() -> list[Route]:
    return list(current_routes(create_app(Settings(environment="development"))).values())


def test_every_route_says_who_may_call_it(routes: list[Route]) -> None:
    silent = [str(route) for route in routes if not isinstance(route.access, Public | Required)]
    assert not silent, f"add @requires(…) or @public(reason=…): {silent}"


def test_the_public_routes_are_these_and_no_others(routes: list[Route]) -> None:
    found = {str(route) for route in routes if isinstance(route.access, Public)}
    assert found == PUBLIC


def test_every_unsafe_route_can_be_repeated_safely(routes: list[Route]) -> None:
    bare = [str(route) for route in routes if route.unsafe and route.repetition is None]
    assert not bare, f"add @idempotent.transaction, .flow or .exempt(reason=…): {bare}"
