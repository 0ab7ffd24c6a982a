"""Figures for Prometheus; several processes add up through PROMETHEUS_MULTIPROC_DIR."""

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

from services.host.settings import Settings

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
UNKNOWN_ROUTE: Final = "(none)"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS: Final = Counter("qiantang_requests", "Requests answered.", ("method", "route", "status"))
REQUEST_SECONDS: Final = Histogram(
    "qiantang_request_seconds",
    "Time from request to answer.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SWEPT: Final = Counter("qiantang_swept", "Things handled by sweeps.", ("sweep",))
SWEEP_FAILURES: Final = Counter("qiantang_sweep_failures", "Sweeps that raised.", ("sweep",))
TASKS: Final = Counter("qiantang_tasks", "Jobs run.", ("task", "outcome"))


def count_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; labels come from the URL map, never from the caller."""
    counter, histogram = _figures(
        method if method in METHODS else "(other)", route or UNKNOWN_ROUTE, status
    )
    counter.inc()
    histogram.observe(seconds)


@cache
def _figures(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Looking labels up costs more than counting; there are as many as routes and statuses."""
    return REQUESTS.labels(method, route, str(status)), REQUEST_SECONDS.labels(method, route)


def exposition(settings: Settings) -> bytes:
    """Return the figures of this process, or of all where they share a directory."""
    if settings.metrics_directory is None:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.metrics_directory))  # type: ignore[no-untyped-call]
    return generate_latest(registry)
