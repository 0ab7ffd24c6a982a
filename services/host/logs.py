"""Logs: one JSON object a line on standard error, ours and every library's, all redacted.

Our own lines are written straight to standard error; what libraries say through `logging` takes the
same steps in a formatter.
"""

import json
import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import Processor

from services.host.redaction import redact

QUIET: Final = ("procrastinate", "alembic", "sqlalchemy", "urllib3", "werkzeug")

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_WRITING: Final = threading.Lock()


def _render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return _ENCODER.encode(event)  # Redaction has left nothing that JSON does not know.


SHARED: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
]
# One list for the life of the process, so that loggers may keep it.
PROCESSORS: Final[list[Processor]] = [*SHARED, _render]


class StandardError:
    """Writes lines to whatever standard error is at the moment."""

    def msg(self, line: str) -> None:
        """Write one line."""
        with _WRITING:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


class StandardErrorHandler(logging.StreamHandler[TextIO]):
    """The same for what libraries log."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        raise AttributeError("the stream is always standard error")


def write_logs(level: str) -> None:
    """Send every log line of the process to standard error; safe to call again."""
    structlog.configure(
        processors=PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: StandardError(),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.setLevel(level)
    if not any(isinstance(handler, StandardErrorHandler) for handler in root.handlers):
        handler = StandardErrorHandler()
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[structlog.stdlib.add_logger_name, *SHARED],
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
            )
        )
        root.addHandler(handler)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def logger(name: str) -> Any:
    """Return a logger for a module."""
    return structlog.get_logger(module=name)
