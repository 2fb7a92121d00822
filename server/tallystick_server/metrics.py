"""Figures for Prometheus, in a registry of our own: what the store counts, and what the HTTP side does.

Promises: a count on the hot path is one addition to an int; the text form is made when it is asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from tallystick.native.library import NATIVE
from tallystick.signal_store import LookCounts
from tallystick.store import Health
from tallystick.usage.aggregators import installed_plugins

from .body_budget import BodyBudget
from .store_access import StoreAccess

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


# What the engine counts of events, under names that say so.
_NAMES = {
    "accepted": "events_accepted",
    "duplicates": "events_duplicate",
    "conflicts": "events_conflicting",
    "rejected": "events_rejected",
}


class LatencyHistogram:
    """Counts of durations by fixed bounds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS_S) + 1)
        self.sum_s = 0.0

    def observe(self, duration_s: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(_BOUNDS_S, duration_s)] += 1
        self.sum_s += duration_s

    def buckets(self) -> list[tuple[str, float]]:
        """Return cumulative counts by upper bound, as Prometheus wants them."""
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, _BOUNDS_S), "+Inf"), self.counts, strict=True):
            total += count
            buckets.append((bound, total))
        return buckets


class HttpCounts:
    """Requests by method, route template and status, and their durations by route."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self.durations: defaultdict[str, LatencyHistogram] = defaultdict(LatencyHistogram)

    def count(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answered request. `route` is a template, so that the number of labels is that of the routes."""
        self.requests[method, route, status] += 1
        self.durations[route].observe(duration_s)


class Metrics:
    """The collector: asked for its figures, it asks the store for its health."""

    def __init__(
        self,
        http: HttpCounts,
        access: StoreAccess,
        budget: BodyBudget,
        *,
        connection_count: Callable[[], int],
        job_failures: Callable[[], int],
    ) -> None:
        self._http, self._access, self._budget = http, access, budget
        self._connection_count, self._job_failures = connection_count, job_failures
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def render(self) -> bytes:
        """Return the text exposition."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names are known when the store is, and registering must not ask it."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Yield every family of figures."""
        yield from self._http_figures()
        store = self._access.opened
        yield _gauge("ready", "1 when the store takes writes", float(store is not None and store.health().ready))
        yield _gauge("compiled", "1 when events are read by the compiled library", float(NATIVE is not None))
        if store is not None:
            yield from _store_figures(store.health())
            waiting = sum(queue.waiting for queue in store.outbox.queues().values())
            yield _gauge("deliveries_waiting", "Messages about signals that are not delivered yet", waiting)
            disabled = sum(channel.disabled_at is not None for channel in store.outbox.channels())
            yield _gauge("channels_disabled", "Channels that send nothing", disabled)
            yield from _look_figures(store.signals.look_counts())
            yield _plugin_failures()

    def _http_figures(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "tallystick_http_requests", "Requests answered", labels=("method", "route", "status")
        )
        for (method, route, status), count in sorted(self._http.requests.items()):
            requests.add_metric((method, route, str(status)), count)
        yield requests
        durations = HistogramMetricFamily(
            "tallystick_http_request_seconds", "From the head of a request to its answer", labels=("route",)
        )
        for route, histogram in sorted(self._http.durations.items()):
            durations.add_metric((route,), histogram.buckets(), histogram.sum_s)
        yield durations
        yield _gauge("http_connections", "Open connections", self._connection_count())
        yield _gauge("http_body_bytes_in_flight", "Bytes of request bodies held now", self._budget.taken_bytes)
        yield _gauge("reads_waiting", "Short calls of the store that run or wait", self._access.reads.taken)
        yield _gauge("scans_waiting", "Usage questions that run or wait", self._access.scans.taken)
        yield CounterMetricFamily(
            "tallystick_scans_cancelled",
            "Usage questions given up because their client went away",
            value=self._access.scans_cancelled,
        )
        yield CounterMetricFamily(
            "tallystick_job_failures", "Jobs, and looks at signals, that failed", value=self._job_failures()
        )
        yield _gauge("large_answers", "Answers of more than 10,000 rows that are being read", self._access.large.taken)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tallystick_{name}", text, value=value)


def _look_figures(counts: LookCounts) -> Iterable[Metric]:
    looks = (
        ("signal_looks", "Looks at signals", counts.looks),
        ("signal_look_seconds", "Seconds that looks at signals took", counts.look_ns / 1e9),
        ("signal_steps", "Steps of signals that were taken", counts.steps),
        ("signal_watch_failures", "Times that some signals could not be looked at", counts.failed_watches),
    )
    for name, text, value in looks:
        yield CounterMetricFamily(f"tallystick_{name}", text, value=value)
    yield _gauge("signal_lag_positions", "Positions of the log that were not looked at yet", counts.lag_positions)
    yield _gauge("signal_lag_seconds", "Age of the oldest change that was not looked at yet", counts.lag_ns / 1e9)


def _plugin_failures() -> Metric:
    failures = CounterMetricFamily(
        "tallystick_plugin_failures",
        "Calls of a plugin that failed, by the function that did",
        labels=("aggregation", "package", "function"),
    )
    for plugin in installed_plugins():
        for function, count in sorted(plugin.origin.failures.items()):
            failures.add_metric((plugin.name, plugin.origin.package, function), count)
    return failures


def _store_figures(health: Health) -> Iterable[Metric]:
    yield _gauge("log_head_position", "The last position of the log", health.head.position)
    yield _gauge("log_blocks", "The last block of the log", health.head.block)
    yield _gauge("events", "Events in the log", health.event_count)
    yield _gauge("tail_events", "Events that no segment holds yet", health.tail_events)
    yield _gauge("queued_events", "Events that wait for the writer", health.queued_events)
    yield _gauge("disk_free_bytes", "Free bytes where the data directory is", health.disk_free_bytes)
    for name, value in sorted(health.gauges.items()):
        yield _gauge(name, f"Now: {name.replace('_', ' ')}", value)
    for name, count in sorted(health.counters.items()):
        plain = re.sub(r"[^a-z0-9_]", "_", _NAMES.get(name, name).lower()).removesuffix("_total")
        value = count
        if plain.endswith("_ns"):
            plain, value = plain.removesuffix("_ns") + "_seconds", count / 1e9
        yield CounterMetricFamily(f"tallystick_{plain}", f"Since the start: {plain.replace('_', ' ')}", value=value)
