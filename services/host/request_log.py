"""Around every request: its id, one canonical log line, and its figures, whatever happens inside.

A WSGI wrapper rather than a hook of Flask, so that a failing hook is seen as well.
"""

import json
import re
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import structlog
from werkzeug.wsgi import ClosingIterator

from payments.kernel.ids import new_id
from services.host import metrics
from services.host.logs import logger

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER: Final = "X-Request-Id"
RECORD: Final = "qiantang.record"
LONGEST_PATH: Final = 200  # Characters.
INTERNAL: Final = 500

_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)

log = logger(__name__)


class RequestLog:
    """Wraps an application; `environ[RECORD]` is a dict that the inside may add fields to."""

    def __init__(self, inside: "WSGIApplication") -> None:
        self._inside = inside

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        started = time.perf_counter()
        request_id = _request_id(environ.get("HTTP_X_REQUEST_ID"))
        record: dict[str, Any] = {
            "request_id": request_id,
            "method": environ.get("REQUEST_METHOD", "")[:16],
            "route": "",
            "status": INTERNAL,
        }
        environ[RECORD] = record
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        def begin(
            status: str,
            headers: list[tuple[str, str]],
            failure: tuple[type[BaseException], BaseException, TracebackType]
            | tuple[None, None, None]
            | None = None,
            /,
        ) -> Callable[[bytes], object]:
            record["status"] = int(status[:3])
            headers.append((HEADER, request_id))
            return start_response(status, headers, failure)

        def finish() -> None:
            _finish(record, environ, time.perf_counter() - started)

        try:
            body = self._inside(environ, begin)
        except Exception:
            log.exception("request_failed")
            body = _last_resort(begin, request_id)
        return ClosingIterator(body, finish)


def _finish(record: dict[str, Any], environ: "WSGIEnvironment", seconds: float) -> None:
    method, route, status = record["method"], record["route"], record["status"]
    metrics.count_request(method=method, route=route, status=status, seconds=seconds)
    log.info(
        "request",
        **{name: value for name, value in record.items() if name != "request_id"},
        path=environ.get("PATH_INFO", "")[:LONGEST_PATH],
        remote=environ.get("REMOTE_ADDR", ""),
        milliseconds=round(seconds * 1000, 1),
    )
    structlog.contextvars.clear_contextvars()


def _last_resort(begin: Callable[..., Any], request_id: str) -> list[bytes]:
    """Answer when even the error handlers failed."""
    body = json.dumps(
        {
            "type": "urn:qiantang:problem:internal",
            "title": "系统错误",
            "status": INTERNAL,
            "code": "internal",
            "request_id": request_id,
        }
    ).encode()
    begin("500 INTERNAL SERVER ERROR", [("Content-Type", "application/problem+json")])
    return [body]


def _request_id(offered: str | None) -> str:
    return offered if offered and _WELL_FORMED.fullmatch(offered) else new_id("req")
