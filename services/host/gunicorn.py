"""The gunicorn configuration: gunicorn -c services/host/gunicorn.py wsgi:app.

One process a core with four threads each: PostgreSQL and Python share the work, and threads wait
for the network without blocking anybody. Processes are renewed, not all at once.
"""

import multiprocessing
import os
import tempfile
from contextlib import ExitStack
from typing import Any, Final

from prometheus_client import multiprocess

from services.host.launching import running_database
from services.host.platform import EXTENSION
from services.host.settings import MULTIPROCESS, load_settings

_database: Final = ExitStack()

settings = load_settings()
if settings.metrics_directory is None:
    os.environ[MULTIPROCESS] = tempfile.mkdtemp(prefix="qiantang-metrics-")

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
forwarded_allow_ips = "127.0.0.1"
accesslog = None  # The request log writes one line a request.


def on_starting(_server: Any) -> None:
    """Start the embedded database where there is no other; it lives as long as we do."""
    _database.enter_context(running_database(settings))


def post_fork(_server: Any, worker: Any) -> None:
    """Forget connections that another process made, should the application be preloaded."""
    platform = getattr(worker.app, "callable", None)
    if platform is not None:
        platform.extensions[EXTENSION].database.engine.dispose(close=False)


def post_worker_init(worker: Any) -> None:
    """Load keys and adapters before the first request waits for them."""
    worker.wsgi.extensions[EXTENSION].warm_up()


def child_exit(_server: Any, worker: Any) -> None:
    """Stop counting the live figures of a process that is gone."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Stop the embedded database if it was ours."""
    _database.close()
