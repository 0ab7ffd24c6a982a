"""The OpenAPI 3.1 document: what flask-smorest reads off the views, and what the routes declare.

Who may call an operation, how it is repeated safely and how it can fail are added here, so no view
repeats them. The document is the same on every machine, which lets a test compare it.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import flask_smorest
from flask import Flask

import payments
import services
from payments.kernel.errors import QiantangError
from services.host import problems
from services.host.access import ACTING_FOR, Public, Required
from services.host.idempotency import HEADER
from services.host.openapi_parts import (
    AUDIENCES,
    ERROR_RESPONSES,
    INFORMATION,
    PARAMETERS,
    PROBLEM_SCHEMA,
    RESPONSE_HEADERS,
    SECURITY_OF_KIND,
    SECURITY_SCHEMES,
    any_error_response,
    error_response,
)
from services.host.openapi_schemas import tidied
from services.host.routes import Route, Routes, current_routes

VERSION: Final = "3.1.0"
METHODS: Final = ("get", "post", "put", "patch", "delete")
EXTENSION: Final = "qiantang.api"

_CONVERTER: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


class Api(flask_smorest.Api):
    """flask-smorest without its own error handlers and error shapes; ours are elsewhere."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors to services.host.errors."""


def describe(app: Flask) -> Api:
    """Make the collector that reads blueprints as they are registered."""
    app.config.update(API_TITLE="Qiantang 钱塘", API_VERSION="1", OPENAPI_VERSION=VERSION)
    api = Api(app)
    app.extensions[EXTENSION] = api
    return api


def document(app: Flask) -> dict[str, Any]:
    """Return the whole document, sorted."""
    api = cast("Api", app.extensions[EXTENSION])
    read: dict[str, Any] = json.loads(json.dumps(api.spec.to_dict()))
    described = {(_template(route.address), route.method): route for route in _described(app)}
    paths = {
        path: {
            **{key: value for key, value in sorted(item.items()) if key not in METHODS},
            **{
                method: _operation(item[method], described[path, method.upper()])
                for method in METHODS
                if method in item
            },
        }
        for path, item in sorted(read["paths"].items())
    }
    whole = {
        "openapi": VERSION,
        "info": {"title": api.spec.title, "version": api.spec.version, **INFORMATION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in AUDIENCES.values()],
        "paths": paths,
        "components": _components(read.get("components", {})),
    }
    return tidied(whole)


def written(app: Flask) -> str:
    """Return the document as the file has it."""
    return json.dumps(document(app), ensure_ascii=False, indent=2) + "\n"


def _described(app: Flask) -> Iterator[Route]:
    routes: Routes = current_routes(app)
    yield from routes.values()


def _template(address: str) -> str:
    return _CONVERTER.sub(r"{\1}", address)


def _operation(read: Mapping[str, Any], route: Route) -> dict[str, Any]:
    operation = {key: value for key, value in read.items() if key not in {"tags", "responses"}}
    operation["summary"] = str(read.get("summary", "")).rstrip(".")
    operation["operationId"] = _operation_id(route)
    operation["tags"] = _audiences(route)
    operation["security"] = _security(route)
    if isinstance(route.access, Required) and route.access.role:
        operation["x-role"] = route.access.role
    if route.plugin:
        operation["x-plugin"] = route.plugin
    parameters = list(read.get("parameters", ()))
    if _takes_key(route):
        parameters.append({"$ref": f"#/components/parameters/{_component(HEADER)}"})
    if isinstance(route.access, Required) and route.access.on_behalf:
        parameters.append({"$ref": f"#/components/parameters/{_component(ACTING_FOR)}"})
    if parameters:
        operation["parameters"] = parameters
    operation["responses"] = _responses(read, route, has_input=bool(parameters))
    order = ("operationId", "tags", "summary", "description", "security", "parameters")
    return {
        **{key: operation[key] for key in order if key in operation},
        **{key: value for key, value in operation.items() if key not in order},
    }


def _responses(read: Mapping[str, Any], route: Route, *, has_input: bool) -> dict[str, Any]:
    """Keep what the view says of its own answers, and add how every such route can fail."""
    answers = {
        status: {**answer, "headers": {**answer.get("headers", {}), **_headers(route)}}
        for status, answer in read.get("responses", {}).items()
        if "$ref" not in answer and status.isdigit()
    }
    failing = {400, 500, 503} | _named(read)
    if isinstance(route.access, Required):
        failing |= {401, 403}
    if "<" in route.address:
        failing |= {404}
    if route.reads_json:
        failing |= {413, 415}
    if has_input or route.reads_json:
        failing |= {422}
    if route.unsafe:
        failing |= {409, 429}
    for status in failing:
        if str(status) not in answers:
            name, _ = ERROR_RESPONSES[status]
            answers[str(status)] = {"$ref": f"#/components/responses/{name}"}
    if not route.callback:
        answers["default"] = {"$ref": "#/components/responses/Problem"}
    return dict(sorted(answers.items()))


def _named(read: Mapping[str, Any]) -> set[int]:
    """Return the failures a view names by itself: `@blueprint.alt_response(429, "TooMany")`."""
    named = {int(status) for status in read.get("responses", {}) if status.isdigit()}
    return named & set(ERROR_RESPONSES)


def _headers(route: Route) -> dict[str, Any]:
    names = ["X-Request-Id", *(["Idempotent-Replayed"] if _takes_key(route) else [])]
    return {name: {"$ref": f"#/components/headers/{_component(name)}"} for name in names}


def _components(read: Mapping[str, Any]) -> dict[str, Any]:
    schemas = {name: body for name, body in read.get("schemas", {}).items() if name != "Error"}
    return {
        "schemas": dict(sorted({**schemas, "Problem": _problem_schema()}.items())),
        "responses": {
            **{
                name: error_response(status, description)
                for status, (name, description) in sorted(ERROR_RESPONSES.items())
            },
            "Problem": any_error_response(),
        },
        "parameters": {_component(name): body for name, body in PARAMETERS.items()},
        "headers": {_component(name): body for name, body in RESPONSE_HEADERS.items()},
        "securitySchemes": SECURITY_SCHEMES,
    }


def _problem_schema() -> dict[str, Any]:
    lines = ["| code | status | en | zh |", "|---|---|---|---|"]
    lines += [f"| `{code}` | {status} | {en} | {zh} |" for code, status, en, zh in codes()]
    schema: dict[str, Any] = json.loads(json.dumps(PROBLEM_SCHEMA))
    schema["properties"]["code"]["description"] = (
        "Stable; programs decide by it. Codes may be added.\n\n" + "\n".join(lines)
    )
    return schema


def codes() -> Sequence[tuple[str, int, str, str]]:
    """Return every code an answer may carry, with its status and its titles, sorted."""
    for package in (payments, services):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    listed = {
        (kind.code, problems.status_of(kind), kind.en, kind.zh)
        for kind in _kinds(QiantangError)
        if kind.__module__.partition(".")[0] in {"payments", "services"}
    }
    return sorted(
        one for one in listed if one[1] != problems.INTERNAL_STATUS or one[0] == QiantangError.code
    )


def _kinds(kind: type[QiantangError]) -> Iterator[type[QiantangError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


def _takes_key(route: Route) -> bool:
    return route.repetition is not None and route.repetition.shape != "exempt"


def _operation_id(route: Route) -> str:
    return f"{route.endpoint}.{route.method.lower()}".replace("_", "-").lower()


def _audiences(route: Route) -> list[str]:
    if isinstance(route.access, Required):
        return [AUDIENCES[kind][0] for kind in AUDIENCES if kind in route.access.kinds]
    return [AUDIENCES["provider" if route.callback else "public"][0]]


def _security(route: Route) -> list[dict[str, list[str]]]:
    if isinstance(route.access, Public) or route.access is None:
        return []
    names = sorted({SECURITY_OF_KIND[kind] for kind in route.access.kinds})
    return [{name: []} for name in names]


def _component(header: str) -> str:
    return header.replace("-", "")
