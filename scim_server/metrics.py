"""The numbers Prometheus asks for."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which several processes share their numbers; must be set before this module is imported."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts and durations of one process, or of all when they share a folder."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "scim_request_seconds",
            "Duration of HTTP requests; its count is the number of requests.",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._duplicates = Counter(
            "scim_duplicates", "Duplicates recorded.", ["kind", "channel"], registry=self._registry
        )
        self._changes = Counter(
            "scim_changes", "Changes of users and groups.", ["type", "action", "channel"], registry=self._registry
        )
        self._request_series: dict[tuple[str, str, int], Histogram] = {}

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. ``route`` is the pattern, never the path: names in it would be values of users."""
        key = (method, route, status)
        series = self._request_series.get(key)
        if series is None:
            series = self._request_series[key] = self._requests.labels(method, route, str(status))
        series.observe(seconds)

    def count_duplicate(self, kind: str, channel: str) -> None:
        """Count a newly recorded duplicate."""
        self._duplicates.labels(kind, channel).inc()

    def count_change(self, resource_type: str, action: str, channel: str, number: int = 1) -> None:
        """Count changes that were committed."""
        self._changes.labels(resource_type, action, channel).inc(number)

    def render(self) -> bytes:
        """The Prometheus text format."""
        if os.environ.get(MULTIPROCESS_DIR):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
            return generate_latest(registry)
        return generate_latest(self._registry)
