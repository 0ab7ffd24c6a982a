"""The docs page: Swagger UI over our own document, with every asset served from here.

`flask-swagger-ui` carries Swagger UI 5, which renders OpenAPI 3.1; the older bundles on the package
index carry version 4, which does not. Only the files named below are taken from it.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, send_from_directory

from payments.kernel.errors import NotFound
from services.host import openapi
from services.host.access import public

PACKAGE: Final = "flask_swagger_ui"
ASSETS: Final = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
ASSET_SECONDS: Final = 86_400
EXTENSION: Final = "qiantang.openapi"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
REASON: Final = "Documentation; switched off in production unless QIANTANG_DOCS says otherwise."
PAGE: Final = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Qiantang 钱塘 API</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
START: Final = """SwaggerUIBundle({
  url: "/docs/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
});
"""

docs_blueprint: Final = Blueprint("docs", __name__, url_prefix="/docs")


@docs_blueprint.get("")
@public(reason=REASON)
def page() -> Response:
    """Serve the page."""
    response = Response(PAGE, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@docs_blueprint.get("/start.js")
@public(reason=REASON)
def start() -> Response:
    """Serve the lines that start Swagger UI; the policy forbids them inside the page."""
    return Response(START, content_type="text/javascript; charset=utf-8")


@docs_blueprint.get("/openapi.json")
@public(reason=REASON)
def document() -> Response:
    """Serve the document of exactly what is installed here."""
    if EXTENSION not in current_app.extensions:
        current_app.extensions[EXTENSION] = openapi.written(current_app)
    return Response(current_app.extensions[EXTENSION], content_type="application/json")


@docs_blueprint.get("/assets/<name>")
@public(reason=REASON)
def asset(name: str) -> Response:
    """Serve one of the few files of Swagger UI that the page uses."""
    if name not in ASSETS:
        raise NotFound
    return send_from_directory(_assets(), name, max_age=ASSET_SECONDS)


@cache
def _assets() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise NotFound(f"install {PACKAGE}")
    return Path(found.origin).parent / "dist"
