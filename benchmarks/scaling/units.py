"""What one of everything costs, read from the figures of the measurements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from statistics import mean
from typing import Any, Final, Self

NEEDED: Final = ("engines", "doors", "whole", "postgresql", "row")
COMMITS: Final = "commits and nothing else, 16 connections"
ON_SQLITE: Final = "hold and settle on SQLite, 1 process"
_BASE64: Final = 4 / 3
_ENVELOPE_IN_BYTES: Final = 1500.0
_LATER: Final = "jobs with webhooks, 64 at once"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a database, of a request or in a second."""

    statements: float
    commits: float
    rows: float
    wal_in_bytes: float
    cpu_in_s: float
    ledger_in_bytes: float = 0.0
    jobs_in_bytes: float = 0.0

    def times(self, factor: float) -> "Asked":
        """Give so many times as much."""
        return Asked(*(getattr(self, field.name) * factor for field in fields(self)))

    def mixed(self, other: "Asked", share: float) -> "Asked":
        """Give the mean where the other has a share."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return Asked(*(own * (1 - share) + theirs * share for own, theirs in pairs))

    @classmethod
    def most_of(cls, kinds: Iterable[Mapping[str, Any]]) -> "Asked":
        """Give the most of each that any of these kinds of requests took."""
        found = [cls.of(kind) for kind in kinds]
        return Asked(*(max(getattr(each, field.name) for each in found) for field in fields(cls)))

    @classmethod
    def of(cls, kind: Mapping[str, Any]) -> "Asked":
        """Read what was measured of one kind of request."""
        work = kind["database"]
        names = ("statements", "commits", "rows", "wal_in_bytes", "cpu_in_s")
        grown = {name: float(kind[name]) for name in ("ledger_in_bytes", "jobs_in_bytes")}
        return Asked(**{name: float(work[name]) for name in names}, **grown)


@dataclass(frozen=True, slots=True)
class Slope:
    """A cost that grows with bytes: a straight line through what a small and a large file took."""

    fixed_in_s: float
    byte_in_s: float

    @classmethod
    def through(cls, small: tuple[float, float], large: tuple[float, float]) -> Self:
        """Give the line through two points of bytes and seconds; it never falls."""
        byte_in_s = max(0.0, (large[1] - small[1]) / (large[0] - small[0]))
        return cls(max(0.0, small[1] - byte_in_s * small[0]), byte_in_s)

    def at(self, size_in_bytes: float) -> float:
        """Give seconds for so many bytes."""
        return self.fixed_in_s + self.byte_in_s * size_in_bytes


@dataclass(frozen=True, slots=True)
class Units:
    """Unit costs.

    Takes: of engines, by work, seconds for each photo and bytes of results; of the door, by way, a line over the bytes
    of the file; `taking_in_s` and `doing_in_s`, what the front and the worker take of a job for next to nothing;
    `crowded`, how much longer an engine takes on a machine whose cores are all busy; `idle`, of a process in a second.
    """

    engines_in_s: Mapping[str, tuple[float, ...]]
    results_in_bytes: Mapping[str, float]
    ways: Mapping[str, Slope]
    way_of_jobs: Slope
    taking_in_s: float
    doing_in_s: float
    source_in_bytes: float
    crowded: float
    now: Asked
    job: Asked
    idle: Asked
    front_connections: int
    worker_connections: int
    front_in_mib: float
    engine_in_mib: float
    holds_per_s: float
    claims_per_s: float
    commits_per_s: float
    sqlite_holds_per_s: float
    redis_in_s: float
    redis_commands: float

    def engine_in_s(self, work: str) -> float:
        """Give what an engine takes over a photo, all of them alike in number."""
        return mean(self.engines_in_s[work]) * self.crowded

    def front_in_s(self, way: str, *, is_later: bool) -> float:
        """Give what the process that speaks HTTP takes.

        Method: of a job the line through two sizes covers front and worker together; half of what grows with the bytes
        is taken for the front's, which receives and stores them, and half for the worker's, which fetches them.
        """
        if not is_later:
            return self.ways[way].at(self.source_in_bytes)
        # The worker fetches what comes by URL.
        return self.taking_in_s + (0.0 if way == "url" else self._moving_in_s / 2)

    def worker_in_s(self, way: str) -> float:
        """Give what a worker takes over a job beside its engines."""
        if way == "url":
            return self.doing_in_s + self.ways["url"].byte_in_s * self.source_in_bytes
        return self.doing_in_s + self._moving_in_s / 2

    @property
    def _moving_in_s(self) -> float:
        return self.way_of_jobs.byte_in_s * self.source_in_bytes

    def body_in_bytes(self, way: str) -> float:
        """Give how many bytes come over the network for a request: as its body, or fetched for it."""
        return self.source_in_bytes * (_BASE64 if way == "base64" else 1.0)

    def reply_in_bytes(self, work: str) -> float:
        """Give the size of a reply, in which pictures are base64."""
        return self.results_in_bytes[work] * _BASE64 + _ENVELOPE_IN_BYTES


def read(figures: Mapping[str, Any]) -> Units:
    """Give the unit costs. Errors: KeyError for a measurement that is missing."""
    engines, doors, whole = figures["engines"], figures["doors"], figures["whole"]
    postgresql, row, redis = figures["postgresql"], figures["row"], figures.get("redis", {})
    done = {name: each for name, each in engines["jobs"].items() if "skipped" not in each}
    kinds, few = postgresql["kinds"], redis.get("few", {})
    busiest = max(whole["crowds"].values(), key=lambda each: float(each["per_s"]))
    alone = whole["crowds"]["1"]
    at_once = [kind for name, kind in kinds.items() if not name.startswith("jobs")]
    front_connections = max(kind["connections"] for kind in at_once)
    return Units(
        engines_in_s={name: tuple(each["cpu_in_s"]) for name, each in done.items()},
        results_in_bytes={name: mean(each["sizes_in_bytes"]) for name, each in done.items()},
        ways={way: _slope(doors, way) for way in ("multipart", "base64", "url")},
        way_of_jobs=_slope(doors, "job"),
        taking_in_s=kinds[_LATER]["front_in_s"],
        doing_in_s=kinds[_LATER]["worker_in_s"],
        source_in_bytes=engines["source"]["mean_size_in_bytes"],
        crowded=max(1.0, busiest["engine_in_s"] / alone["engine_in_s"]),
        now=Asked.most_of(at_once),
        job=Asked.of(kinds[_LATER]),
        idle=Asked(*(postgresql["idle"]["server"][field.name] for field in fields(Asked)[:5])),
        front_connections=front_connections,
        worker_connections=kinds[_LATER]["connections"] - front_connections,
        front_in_mib=doors["memory_in_mib"]["front_peak_with_crowd"],
        engine_in_mib=max(each["proportional_in_mib"] for each in engines["memory"].values()),
        holds_per_s=row["hold and settle, 4 processes, one organization"]["per_s"],
        claims_per_s=row["claim a job, 2 processes, one organization"]["per_s"],
        commits_per_s=row[COMMITS]["per_s"],
        sqlite_holds_per_s=row[ON_SQLITE]["per_s"],
        redis_in_s=few.get("redis_in_ms", 0.0) / 1000,
        redis_commands=few.get("commands", 0.0),
    )


def _slope(doors: Mapping[str, Any], way: str) -> Slope:
    sizes = doors["source_bytes"]
    points = ((sizes[size], doors["ways"][f"{way}, {size}"]["front_in_s"]) for size in ("small", "large"))
    return Slope.through(*points)
