"""What Prometheus reads at /metrics."""

import contextlib
import functools
from collections.abc import Callable, Mapping

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from imageplane.accounts.recent import Recent
from imageplane.engine.pool import Pool
from imageplane.errors import Busy
from imageplane.http.visit import Visit
from imageplane.sources.room import Room

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
            "Time at one stop: door, read, hold, source, cache, queue, header, plan, decode, steps, encode.",
            ["stop"],
            buckets=_BUCKETS_IN_S,
            registry=self.registry,
        )
        # To look up a child takes longer than to count, and every request counts a dozen of them.
        self._stop = functools.cache(self.stops.labels)
        self.in_progress = Gauge("imageplane_requests_in_progress", "Requests being answered.", registry=self.registry)
        self.credits = Counter("imageplane_credits_charged", "Credits charged.", registry=self.registry)

    def watch_engines(self, pool: Pool) -> None:
        """Tell of the engines too: how many live, who waits, what became of them, how much memory they hold."""
        self.registry.register(_Engines(pool))

    def watch_admission(self, room: Room) -> None:
        """Tell of the door too: who waits there, and how much memory those inside take up."""
        self.registry.register(_Door(room))

    def watch_jobs(self, counts: Callable[[], Mapping[str, int]]) -> None:
        """Tell of the jobs of the installation too: how many stand how, as the database says when it is asked."""
        self.registry.register(_Jobs(counts))

    def watch_recent(self, recent: Recent) -> None:
        """Tell how many requests the dashboard does not show, because too many came at once."""
        self.registry.register(_Recent(recent))

    def record(self, route: str, status: int, visit: Visit) -> None:
        """Count one answered request."""
        self.requests.labels(route, str(status)).inc()
        self.durations.labels(route).observe(visit.elapsed_in_ms / 1000)
        if visit.error_code is not None:
            self.errors.labels(visit.error_code).inc()
        for stop, spent_in_ms in visit.timings_in_ms.items():
            self._stop(stop).observe(spent_in_ms / 1000)
        self.credits.inc(visit.millicredits_charged / 1000)

    def page(self) -> bytes:
        """Give everything in the text format of Prometheus."""
        return generate_latest(self.registry)


class _Engines(Collector):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> list[Metric]:
        ids, tally, crowd = self._pool.engine_ids(), self._pool.tally(), self._pool.crowd()
        deaths = CounterMetricFamily("imageplane_engine_deaths", "Engines that died at work.", labels=["cause"])
        for cause, count in tally.deaths.items():
            deaths.add_metric([cause], count)
        memory = GaugeMetricFamily("imageplane_resident_memory_bytes", "Resident memory.", labels=["process"])
        memory.add_metric(["server"], _resident_in_bytes(None))
        memory.add_metric(["engines"], sum(_resident_in_bytes(process_id) for process_id in ids))
        waiting = GaugeMetricFamily("imageplane_queue_length", "Images that wait for an engine.", labels=["lane"])
        waiting.add_metric(["light"], crowd.light)
        waiting.add_metric(["heavy"], crowd.heavy)
        return [
            memory,
            waiting,
            deaths,
            GaugeMetricFamily("imageplane_engines", "Engine processes that live.", value=len(ids)),
            GaugeMetricFamily("imageplane_engines_busy", "Engine processes at work.", value=crowd.working),
            GaugeMetricFamily(
                "imageplane_queue_wait_seconds", "How long a thumbnail would wait.", value=crowd.waits_in_s
            ),
            GaugeMetricFamily("imageplane_engine_starts", "Engine processes started so far.", value=tally.starts),
            GaugeMetricFamily(
                "imageplane_refused_sources", "Sources refused that killed engines.", value=tally.refusals
            ),
            CounterMetricFamily("imageplane_joined_images", "Images made along with others.", value=tally.joined),
        ]


class _Door(Collector):
    def __init__(self, room: Room) -> None:
        self._room = room

    def collect(self) -> list[Metric]:
        waiting = sum(self._room.guests.values())
        held_in_bytes = self._room.held_in_bytes
        return [
            GaugeMetricFamily("imageplane_door_waiting", "Requests that wait unread for memory.", value=waiting),
            GaugeMetricFamily("imageplane_held_bytes", "Bodies and files of requests inside.", value=held_in_bytes),
        ]


class _Recent(Collector):
    def __init__(self, recent: Recent) -> None:
        self._recent = recent

    def collect(self) -> list[Metric]:
        words = "Requests that the dashboard never showed, because too many came at once."
        return [CounterMetricFamily("imageplane_recent_requests_dropped", words, value=self._recent.dropped)]


class _Jobs(Collector):
    def __init__(self, counts: Callable[[], Mapping[str, int]]) -> None:
        self._counts = counts

    def describe(self) -> list[Metric]:
        # Nobody asks the database just to learn the name.
        return [self._family()]

    def collect(self) -> list[Metric]:
        family = self._family()
        # A database that does not answer hides no other figure.
        with contextlib.suppress(Busy):
            for status, count in self._counts().items():
                family.add_metric([status], count)
        return [family]

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily("imageplane_jobs", "Jobs and webhooks of all servers by status.", labels=["status"])


def _resident_in_bytes(process_id: int | None) -> int:
    try:
        return int(psutil.Process(process_id).memory_info().rss)
    except psutil.Error:
        # It ended in this moment.
        return 0
