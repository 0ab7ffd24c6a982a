"""Errors to HTTP, in one place: application/problem+json (RFC 9457), titled in zh or en.

Nothing of an unexpected error leaves the house but the request id, by which its log line is found.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import psycopg
import structlog
from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as AnyResponse

from payments.kernel.errors import (
    Conflict,
    Forbidden,
    QiantangError,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from services.host import problems
from services.host.languages import CONTENT_LANGUAGE, current_language
from services.host.validation import field_errors

CONTENT_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 2
REDIRECTS: Final = range(300, 400)

OF_STATUS: Final[dict[int, type[problems.RequestProblem]]] = {
    404: problems.RouteNotFound,
    405: problems.MethodNotAllowed,
    406: problems.NotAcceptable,
    413: problems.BodyTooLarge,
    415: problems.MediaTypeUnsupported,
    422: problems.ValidationFailed,
}
KIND_OF_STATUS: Final[dict[int, type[QiantangError]]] = {
    401: Unauthenticated,
    403: Forbidden,
    409: Conflict,
    429: TooMany,
}
# SQLSTATE: lock not available, query cancelled by time-out, serialization failure, deadlock.
BUSY_SQLSTATES: Final = frozenset({"55P03", "57014", "40001", "40P01"})
# Classes: connection, resources (disk full, too many connections), operator intervention.
UNAVAILABLE_CLASSES: Final = frozenset({"08", "53", "57"})
READ_ONLY: Final = "25006"  # A standby, during a switch-over.

log = structlog.get_logger(__name__)


def answer_errors(app: Flask) -> None:
    """Make every error of every view an answer of one shape."""
    app.register_error_handler(QiantangError, answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(SQLAlchemyError, _answer_database)
    app.register_error_handler(Exception, _answer_unexpected)


def answer(
    error: QiantangError,
    *,
    fields: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error as an answer in the request's language."""
    status = problems.status_of(type(error))
    language = current_language()
    body: dict[str, Any] = {
        "type": f"urn:qiantang:problem:{error.code}",
        "title": error.zh if language == "zh" else error.en,
        "status": status,
        "code": error.code,
        "instance": request.path,
        "request_id": g.get("request_id", ""),
    }
    if error.detail:
        body["detail"] = error.detail
    if fields:
        body["errors"] = list(fields)
    response = Response(
        json.dumps(body, ensure_ascii=False), status=status, content_type=CONTENT_TYPE
    )
    response.headers["Content-Language"] = CONTENT_LANGUAGE[language]
    response.vary.add("Accept-Language")
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable | TooMany):
        seconds = error.retry_after_seconds if isinstance(error, TooMany) else None
        response.headers["Retry-After"] = str(seconds or RETRY_SECONDS)
    response.headers.extend(headers or {})
    g.problem = error.code
    return response


def translate(error: SQLAlchemyError) -> QiantangError | None:
    """Return what a database error means to the caller, or None when it is a bug of ours."""
    if isinstance(error, PoolTimeoutError):
        return problems.DatabaseUnavailable()
    original = error.orig if isinstance(error, DBAPIError) else None
    if not isinstance(original, psycopg.Error):
        return None
    sqlstate = original.sqlstate or ""
    kind: type[QiantangError] | None = None
    if sqlstate in BUSY_SQLSTATES:
        kind = problems.Busy
    elif sqlstate[:2] in UNAVAILABLE_CLASSES or sqlstate == READ_ONLY:
        kind = problems.DatabaseUnavailable
    elif isinstance(original, psycopg.DataError):
        kind = problems.ValueNotStorable
    elif isinstance(original, psycopg.OperationalError | psycopg.InterfaceError):
        kind = problems.DatabaseUnavailable
    return kind() if kind else None


def _answer_http(error: HTTPException) -> AnyResponse:
    status = error.code or problems.INTERNAL_STATUS
    if status in REDIRECTS or error.response is not None:
        return error.get_response()
    if status >= problems.INTERNAL_STATUS:
        return _answer_unexpected(error)
    headers = {
        name: value
        for name, value in error.get_headers()
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}
    }
    given: Mapping[str, Any] = getattr(error, "data", None) or {}
    messages = given.get("messages") or given.get("errors")
    if status == 400 and isinstance(messages, Mapping) and "json" in messages:  # noqa: PLR2004  HTTP
        return answer(problems.JsonMalformed())
    if status in KIND_OF_STATUS:
        return answer(KIND_OF_STATUS[status](), headers=headers)
    kind = OF_STATUS.get(status, problems.RequestProblem)
    fields = (
        field_errors(messages, language=current_language()) if isinstance(messages, Mapping) else []
    )
    return answer(kind(str(given.get("message", ""))), fields=fields, headers=headers)


def _answer_database(error: SQLAlchemyError) -> Response:
    meaning = translate(error)
    if meaning is None:
        return _answer_unexpected(error)
    original = error.orig if isinstance(error, DBAPIError) else None
    log.warning(
        "database_refused", kind=type(error).__name__, sqlstate=getattr(original, "sqlstate", None)
    )
    return answer(meaning)


def _answer_unexpected(error: Exception) -> Response:
    log.error("unexpected_error", exc_info=error)
    return answer(QiantangError())
