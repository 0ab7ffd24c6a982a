"""Logs: one JSON object a line on standard error, ours and every library's, all redacted."""

import logging
import sys
from typing import Any, Final, TextIO

import structlog
from structlog.typing import Processor

from services.host.redaction import redact

QUIET: Final = ("procrastinate", "alembic", "sqlalchemy", "urllib3", "werkzeug")

SHARED: Final[list[Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    redact,
]
# One list for the life of the process, so that loggers may keep it.
PROCESSORS: Final[list[Processor]] = [
    structlog.stdlib.filter_by_level,
    *SHARED,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


class StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        raise AttributeError("the stream is always standard error")


def write_logs(level: str) -> None:
    """Send every log line of the process through one formatter; safe to call again."""
    structlog.configure(
        processors=PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.setLevel(level)
    if not any(isinstance(handler, StandardErrorHandler) for handler in root.handlers):
        handler = StandardErrorHandler()
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=SHARED,
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(ensure_ascii=False),
                ],
            )
        )
        root.addHandler(handler)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def logger(name: str) -> Any:
    """Return a logger for a module."""
    return structlog.get_logger(name)
