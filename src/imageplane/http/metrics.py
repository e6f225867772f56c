"""What Prometheus reads at /metrics."""

from collections.abc import Callable

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from imageplane.engine.tally import Tally
from imageplane.http.visit import Visit

_BUCKETS_IN_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "imageplane_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        self.errors = Counter("imageplane_errors", "Requests refused or failed.", ["code"], registry=self.registry)
        self.durations = Histogram(
            "imageplane_request_duration_seconds",
            "From the first byte of a request to the last of its reply.",
            ["route"],
            buckets=_BUCKETS_IN_S,
            registry=self.registry,
        )
        self.stops = Histogram(
            "imageplane_stop_duration_seconds",
            "Time at one stop: queue, source, header, plan, decode, steps, encode.",
            ["stop"],
            buckets=_BUCKETS_IN_S,
            registry=self.registry,
        )
        self.in_progress = Gauge("imageplane_requests_in_progress", "Requests being answered.", registry=self.registry)
        self.credits = Counter("imageplane_credits_charged", "Credits charged.", registry=self.registry)

    def watch_engines(self, process_ids: Callable[[], list[int]], tally: Callable[[], Tally]) -> None:
        """Tell of the engines too: how many live, what became of them, how much memory they hold."""
        self.registry.register(_Engines(process_ids, tally))

    def record(self, route: str, status: int, visit: Visit) -> None:
        """Count one answered request."""
        self.requests.labels(route, str(status)).inc()
        self.durations.labels(route).observe(visit.elapsed_in_ms / 1000)
        if visit.error_code is not None:
            self.errors.labels(visit.error_code).inc()
        for stop, spent_in_ms in visit.timings_in_ms.items():
            self.stops.labels(stop).observe(spent_in_ms / 1000)
        self.credits.inc(visit.millicredits_charged / 1000)

    def page(self) -> bytes:
        """Give everything in the text format of Prometheus."""
        return generate_latest(self.registry)


class _Engines(Collector):
    def __init__(self, process_ids: Callable[[], list[int]], tally: Callable[[], Tally]) -> None:
        self._process_ids = process_ids
        self._tally = tally

    def collect(self) -> list[Metric]:
        ids, tally = self._process_ids(), self._tally()
        deaths = CounterMetricFamily("imageplane_engine_deaths", "Engines that died at work.", labels=["cause"])
        for cause, count in tally.deaths.items():
            deaths.add_metric([cause], count)
        memory = GaugeMetricFamily("imageplane_resident_memory_bytes", "Resident memory.", labels=["process"])
        memory.add_metric(["server"], _resident_in_bytes(None))
        memory.add_metric(["engines"], sum(_resident_in_bytes(process_id) for process_id in ids))
        return [
            memory,
            GaugeMetricFamily("imageplane_engines", "Engine processes that live.", value=len(ids)),
            GaugeMetricFamily("imageplane_engine_starts", "Engine processes started so far.", value=tally.starts),
            GaugeMetricFamily(
                "imageplane_refused_sources", "Sources refused that killed engines.", value=tally.refusals
            ),
            deaths,
        ]


def _resident_in_bytes(process_id: int | None) -> int:
    try:
        return int(psutil.Process(process_id).memory_info().rss)
    except psutil.Error:
        # It ended in this moment.
        return 0
