"""The gunicorn configuration: gunicorn -c services/host/gunicorn.py wsgi:app.

One process a core with four threads each: PostgreSQL and Python share the cores, and a thread that
waits for the network holds up nobody. Processes are renewed, but not all at once.
"""

import logging
import multiprocessing
import os
import shutil
import tempfile
from contextlib import ExitStack
from typing import Any, Final

from gunicorn.glogging import Logger

from services.host.boot import explained
from services.host.launching import running_database
from services.host.logs import write_logs
from services.host.platform import EXTENSION
from services.host.settings import MULTIPROCESS, load_settings

_held: Final = ExitStack()


class OurLogger(Logger):
    """gunicorn's own messages, in our format; requests are written by the request log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        with explained():
            write_logs(load_settings().log_level)
        errors = logging.getLogger("gunicorn.error")
        errors.handlers.clear()
        errors.propagate = True


bind = "127.0.0.1:8000"
workers = multiprocessing.cpu_count()
worker_class = "gthread"
threads = 4
timeout = 30
graceful_timeout = 25
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
backlog = 512
limit_request_line = 4_094
limit_request_fields = 64
limit_request_field_size = 8_190
preload_app = False  # Every process makes its own connections and loads its own keys.
control_socket_disable = True
logger_class = OurLogger


def on_starting(_server: Any) -> None:
    """Start the embedded database where there is no other; it lives as long as we do.

    prometheus_client looks for its directory when it is first imported, which the workers do.
    """
    settings = load_settings()
    if settings.metrics_directory is None:
        os.environ[MULTIPROCESS] = tempfile.mkdtemp(prefix="qiantang-metrics-")
        _held.callback(shutil.rmtree, os.environ[MULTIPROCESS], ignore_errors=True)
    with explained():
        _held.enter_context(running_database(settings))


def post_fork(_server: Any, worker: Any) -> None:
    """Forget connections that another process made, should the application be preloaded."""
    application = getattr(worker.app, "callable", None)
    if application is not None:
        application.extensions[EXTENSION].forget_connections()


def post_worker_init(worker: Any) -> None:
    """Load keys and adapters before the first request waits for them."""
    with explained():
        worker.wsgi.extensions[EXTENSION].warm_up()


def child_exit(_server: Any, worker: Any) -> None:
    """Stop counting the live figures of a process that is gone."""
    from prometheus_client import multiprocess  # noqa: PLC0415  not before the directory is set

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Stop the embedded database if it is ours, and forget the figures."""
    _held.close()
