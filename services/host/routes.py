"""What every route declares about itself, read once at boot and looked up per request."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask
from werkzeug.routing import Rule

from services.host import access, idempotency, limits
from services.host.access import Access
from services.host.idempotency import Repetition

EXTENSION: Final = "qiantang.routes"
UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
CALLBACKS: Final = "/callbacks/"


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one address. `plugin` is None for the host's own."""

    endpoint: str
    method: str
    address: str
    plugin: str | None
    access: Access | None
    repetition: Repetition | None
    largest_body: int
    reads_json: bool

    @property
    def unsafe(self) -> bool:
        """Whether it changes something (RFC 9110, section 9.2.1)."""
        return self.method in UNSAFE

    @property
    def callback(self) -> bool:
        """Whether providers call it, whose repetitions the inbox recognises."""
        return self.address.startswith(CALLBACKS)

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


Routes = Mapping[tuple[str, str], Route]


def read_routes(app: Flask, *, plugin_of: Callable[[str], str | None]) -> Routes:
    """Return every route by (endpoint, method); `plugin_of` tells whose blueprint it is."""
    return {
        (route.endpoint, route.method): route
        for rule in app.url_map.iter_rules()
        for route in _routes_of(app, rule, plugin_of)
    }


def current_routes(app: Flask) -> Routes:
    """Return what `read_routes` found when the application was made."""
    found: Routes = app.extensions[EXTENSION]
    return found


def _routes_of(app: Flask, rule: Rule, plugin_of: Callable[[str], str | None]) -> Iterator[Route]:
    view = app.view_functions[rule.endpoint]
    view_class = getattr(view, "view_class", None)
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        places: list[Any] = [view]
        if view_class is not None:
            places = [getattr(view_class, method.lower(), None), view_class]
        declared = {
            mark: next((getattr(place, mark) for place in places if hasattr(place, mark)), None)
            for mark in (access.MARK, idempotency.MARK, limits.MARK)
        }
        yield Route(
            endpoint=rule.endpoint,
            method=method,
            address=rule.rule,
            plugin=plugin_of(rule.endpoint),
            access=declared[access.MARK],
            repetition=declared[idempotency.MARK],
            largest_body=declared[limits.MARK] or limits.BODY_BYTES,
            reads_json=_reads_json(places[0]),
        )


def _reads_json(view: Any) -> bool:
    arguments = getattr(view, "_apidoc", {}).get("arguments", {})
    return any(
        isinstance(parameter, Mapping) and parameter.get("in") == "json"
        for parameter in arguments.get("parameters", ())
    )
