"""The host's own addresses: catalogue, health, metrics."""

import hmac
from typing import Final

from flask import Blueprint as PlainBlueprint
from flask import Response, current_app, jsonify, request
from flask_smorest import Blueprint
from werkzeug import Response as AnyResponse

from payments.kernel.errors import NotFound
from services.host import health, metrics
from services.host.access import public
from services.host.catalogue import Catalogue
from services.host.platform import current_platform
from services.host.schemas import CatalogueSchema

CATALOGUE: Final = "qiantang.catalogue"
CATALOGUE_SECONDS: Final = 300

catalogue_blueprint = Blueprint(
    "catalogue", __name__, url_prefix="/v1/catalogue", description="What the city offers"
)
operations_blueprint = PlainBlueprint("operations", __name__)


@catalogue_blueprint.route("", methods=["GET"])
@public(reason="What the city offers is no secret; the page before sign-in shows it.")
@catalogue_blueprint.response(200, CatalogueSchema)
@catalogue_blueprint.alt_response(304, description="It is what If-None-Match says you have.")
def catalogue() -> AnyResponse:
    """List the services of the city.

    Grouped, in both languages. Ask again with If-None-Match: the answer is then usually 304.
    """
    compiled = current_app.extensions[CATALOGUE]
    assert isinstance(compiled, Catalogue)
    response = Response(compiled.body, content_type="application/json")
    response.set_etag(compiled.etag)
    response.cache_control.public = True
    response.cache_control.max_age = CATALOGUE_SECONDS
    return response.make_conditional(request)


@operations_blueprint.get("/health/live")
@public(reason="A supervisor asks whether the process answers at all.")
def live() -> Response:
    """Say that the process answers."""
    return jsonify(status="alive")


@operations_blueprint.get("/health/ready")
@public(reason="A load balancer asks whether to send requests here; it says nothing else.")
def ready() -> tuple[Response, int]:
    """Say whether the database is reachable and migrated."""
    report = health.report(current_platform(), migrations=current_app.extensions[health.EXTENSION])
    return jsonify(status=report.status, checks=dict(report.checks)), report.http_status


@operations_blueprint.get("/metrics")
@public(reason="Prometheus scrapes it; production demands the token of QIANTANG_METRICS_TOKEN.")
def figures() -> Response:
    """Serve the figures; in production only to whoever bears the token."""
    settings = current_platform().settings
    token = settings.metrics_token
    if token is None:
        if settings.production:
            raise NotFound
    elif not hmac.compare_digest(
        request.headers.get("Authorization", "").encode(),
        f"Bearer {token.get_secret_value()}".encode(),
    ):
        raise NotFound
    return Response(metrics.exposition(settings), content_type=metrics.CONTENT_TYPE)
