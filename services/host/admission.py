"""What happens to a request before its view: route, size, permission, body; in this order.

Nobody's body is read before we know that they may send one.
"""

from typing import Final

from flask import Flask, Response, g, request

from services.host.answers import add_headers
from services.host.idempotency import REPLAYED
from services.host.limits import check_json
from services.host.manifest import Plugin
from services.host.permission import admit, collect_authenticators
from services.host.platform import EXTENSION
from services.host.problems import BodyTooLarge, MediaTypeUnsupported
from services.host.request_log import RECORD
from services.host.routes import Route, current_routes

# A view that reads its body itself may not look at its type.
JSON_BEGINS: Final = frozenset({b"{", b"["})


def guard(app: Flask, found: tuple[Plugin, ...]) -> None:
    """Let no request reach a view before it was admitted and its body measured."""
    routes = current_routes(app)
    platform = app.extensions[EXTENSION]
    authenticators = collect_authenticators(found)

    def admit_request() -> None:
        record = request.environ[RECORD]
        g.request_id = record["request_id"]
        rule = request.url_rule
        if rule is None:
            return  # Flask answers 404 or 405.
        method = "GET" if request.method == "HEAD" else request.method
        route = g.route = routes[rule.endpoint, method]
        record["route"] = route.address
        _measure(route)
        principal = admit(request, route, authenticators=authenticators, platform=platform)
        if principal is not None:
            g.principal = principal
            record["principal"] = str(principal)
        _check_body(route)

    app.before_request(admit_request)
    app.after_request(_note)
    app.after_request(add_headers)


def _measure(route: Route) -> None:
    request.max_content_length = route.largest_body
    if (request.content_length or 0) > route.largest_body:
        raise BodyTooLarge(f"at most {route.largest_body} bytes")


def _check_body(route: Route) -> None:
    if not route.unsafe:
        return
    body = request.get_data()
    if body and route.reads_json and not request.is_json:
        raise MediaTypeUnsupported("send the body as application/json")
    if request.is_json or body.lstrip()[:1] in JSON_BEGINS:
        check_json(body)


def _note(response: Response) -> Response:
    """Tell the request log what only the inside knows."""
    record = request.environ[RECORD]
    if "problem" in g:
        record["problem"] = g.problem
    if REPLAYED in response.headers:
        record["replayed"] = True
    return response
