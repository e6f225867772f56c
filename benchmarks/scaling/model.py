"""A capacity model: from what one request costs to machines, a database and a network for many of them.

Nothing here measures or reads anything: unit costs go in, needs come out. Work is added up, and a share of every
resource is left idle; how large that share has to be is what the simulation is for.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.scaling.units import Asked, Units

DAY_IN_S: Final = 86_400.0
_HOURS: Final = 24
_LATEST_HOUR: Final = 20
_MIB: Final = 1024**2


@dataclass(frozen=True, slots=True)
class Wish:
    """One kind of request in a mix.

    Takes: `work`, what an engine is asked for; `way`, how the file comes; `is_later`, whether it is a job for a worker.
    """

    work: str
    way: str
    share: float
    is_later: bool = False


@dataclass(frozen=True, slots=True)
class Mix:
    """What customers ask for; the shares of its wishes come to 1. Errors: ValueError."""

    title: str
    wishes: Sequence[Wish]

    def __post_init__(self) -> None:
        if not math.isclose(total := sum(wish.share for wish in self.wishes), 1):
            raise ValueError(f"the shares of {self.title!r} come to {total:g}, and not to 1")

    def mean(self, of: Callable[[Wish], float]) -> float:
        """Give the mean over all requests."""
        return sum(wish.share * of(wish) for wish in self.wishes)

    @property
    def later(self) -> float:
        """The share of jobs."""
        return self.mean(lambda wish: wish.is_later)


@dataclass(frozen=True, slots=True)
class Curve:
    """A day: a cosine with its top at eight in the evening.

    Takes: `swing`, by how much the busiest hour is above the mean, as a part of it; `burst`, how much more its busiest
    seconds have.
    """

    swing: float = 0.6
    burst: float = 1.25

    def rate_at(self, hour: float, a_day: float) -> float:
        """Give requests a second at an hour of a day that has so many."""
        return a_day / DAY_IN_S * (1 + self.swing * math.cos(2 * math.pi * (hour - _LATEST_HOUR) / _HOURS))

    def peak(self, a_day: float) -> float:
        """Give requests a second in the busiest seconds."""
        return self.rate_at(_LATEST_HOUR, a_day) * self.burst


@dataclass(frozen=True, slots=True)
class Each:
    """What the mean request of a mix takes of everything; what a worker does beside its engines is the `worker`'s."""

    front_in_s: float
    worker_in_s: float
    engine_in_s: float
    asked: Asked
    received_in_bytes: float
    sent_in_bytes: float
    stored_in_bytes: float
    blob_requests: float

    @property
    def cpu_in_s(self) -> float:
        """The CPU of all processes but the database."""
        return self.front_in_s + self.worker_in_s + self.engine_in_s


def each(units: Units, mix: Mix) -> Each:
    """Give the mean over a mix."""
    return Each(
        front_in_s=mix.mean(lambda wish: units.front_in_s(wish.way, is_later=wish.is_later)),
        worker_in_s=mix.mean(lambda wish: units.worker_in_s(wish.way) if wish.is_later else 0.0),
        engine_in_s=mix.mean(lambda wish: units.engine_in_s(wish.work)),
        asked=units.now.mixed(units.job, mix.later),
        received_in_bytes=mix.mean(lambda wish: units.body_in_bytes(wish.way)),
        sent_in_bytes=mix.mean(lambda wish: units.reply_in_bytes(wish.work)),
        # What came in lies there until the job is forgotten, unless it is a URL; so does the reply.
        stored_in_bytes=mix.mean(lambda wish: _stored_in_bytes(units, wish)),
        # What came in is put and read, the reply is put and fetched once.
        blob_requests=mix.mean(lambda wish: wish.is_later * (2.0 if wish.way == "url" else 4.0)),
    )


def _stored_in_bytes(units: Units, wish: Wish) -> float:
    if not wish.is_later:
        return 0.0
    return (0.0 if wish.way == "url" else units.source_in_bytes) + units.reply_in_bytes(wish.work)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine has, and how much of it is used.

    Takes: `used`, the part of its cores at work in the busiest seconds; `front_used`, the same of the one core that a
    process which speaks HTTP can have; `margin_in_mib`, for the system and for what lies in its page cache.
    """

    cores: int = 8
    used: float = 0.7
    front_used: float = 0.6
    margin_in_mib: float = 1024.0
    network_in_bits_per_s: float = 1e10


@dataclass(frozen=True, slots=True)
class Fleet:
    """Machines for a rate of requests.

    Takes: `machines`, enough to lose one; `fronts`, processes that speak HTTP on each, and `workers`, those that do its
    jobs; `used`, of all cores when no machine is lost, and `used_without_one`.
    """

    machines: int
    fronts: int
    workers: int
    a_machine_per_s: float
    used: float
    used_without_one: float
    memory_in_mib: float


def fleet(units: Units, one: Each, machine: Machine, per_s: float) -> Fleet:
    """Give the machines that do so many requests a second, and still do when one of them is lost."""
    full_per_s = machine.cores / one.cpu_in_s
    machines = max(2, math.ceil(per_s / (full_per_s * machine.used)))
    # The others take over its share, up to the last tenth of their cores.
    while (machines - 1) * full_per_s * max(0.9, machine.used) < per_s:
        machines += 1
    busiest_per_s = full_per_s * max(0.9, machine.used)
    fronts, workers = (
        math.ceil(busiest_per_s * cost_in_s / machine.front_used) for cost_in_s in (one.front_in_s, one.worker_in_s)
    )
    # Either kind has an engine for each core: whose turn it is, the system decides.
    engines = machine.cores * (2 if workers else 1)
    return Fleet(
        machines=machines,
        fronts=fronts,
        workers=workers,
        a_machine_per_s=full_per_s * machine.used,
        used=per_s / machines / full_per_s,
        used_without_one=per_s / (machines - 1) / full_per_s,
        memory_in_mib=(fronts + workers) * units.front_in_mib + engines * units.engine_in_mib + machine.margin_in_mib,
    )


@dataclass(frozen=True, slots=True)
class Books:
    """What the database sees.

    Takes: `cores`, of its own at the peak; connections of all processes, at most.
    """

    statements_per_s: float
    commits_per_s: float
    wal_in_bytes_per_s: float
    cores: float
    connections: int
    rows_a_day: float
    wal_in_bytes_a_day: float
    ledger_in_bytes_a_day: float
    jobs_in_bytes: float


def books(units: Units, one: Each, fleet: Fleet, rates: tuple[float, float], kept_in_days: float) -> Books:
    """Give what the database sees.

    Takes: `rates`, requests a second at the peak and in the mean of the day; how long jobs that have ended are kept.
    """
    peak, mean = rates
    processes = fleet.machines * (fleet.fronts + fleet.workers)
    idle = units.idle.times(processes)
    # What grows with time is reckoned in the mean, what may be too slow at the peak.
    busy = one.asked.times(peak)
    a_day = one.asked.times(mean * DAY_IN_S)
    return Books(
        statements_per_s=busy.statements + idle.statements,
        commits_per_s=busy.commits + idle.commits,
        wal_in_bytes_per_s=busy.wal_in_bytes,
        cores=busy.cpu_in_s + idle.cpu_in_s,
        connections=fleet.machines
        * (fleet.fronts * units.front_connections + fleet.workers * units.worker_connections),
        rows_a_day=a_day.rows,
        wal_in_bytes_a_day=a_day.wal_in_bytes,
        ledger_in_bytes_a_day=a_day.ledger_in_bytes,
        jobs_in_bytes=a_day.jobs_in_bytes * kept_in_days,
    )


@dataclass(frozen=True, slots=True)
class Wire:
    """What goes over the network at the peak, and what the blob store sees."""

    in_bits_per_s: float
    out_bits_per_s: float
    blob_requests_per_s: float
    blobs_in_bytes: float
    redis_commands_per_s: float
    redis_cores: float


def wire(units: Units, one: Each, rates: tuple[float, float], kept_in_days: float) -> Wire:
    """Give traffic and blobs; `rates` and `kept_in_days` as for `books`."""
    peak, mean = rates
    return Wire(
        in_bits_per_s=8 * peak * one.received_in_bytes,
        out_bits_per_s=8 * peak * one.sent_in_bytes,
        blob_requests_per_s=peak * one.blob_requests,
        blobs_in_bytes=mean * DAY_IN_S * kept_in_days * one.stored_in_bytes,
        redis_commands_per_s=peak * units.redis_commands,
        redis_cores=peak * units.redis_in_s,
    )


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Something that ends, and the rate of requests of a mix at which it does.

    Takes: `per_s`, infinite where the mix never asks for it.
    """

    name: str
    per_s: float


def ceilings(units: Units, one: Each, machine: Machine, later: float) -> list[Ceiling]:
    """Give what ends, the first first: one process, one machine, one organization, one database of as many cores."""
    at_work = fleet(units, one, machine, machine.cores / one.cpu_in_s)
    a_machine = at_work.fronts * units.front_connections + at_work.workers * units.worker_connections
    commits = f"{units.commits_per_s:,.0f} commits a second"
    found = {
        "one process that speaks HTTP: one core": _rate(1.0, one.front_in_s),
        f"one machine: {machine.cores} cores": _rate(machine.cores, one.cpu_in_s),
        "jobs of one organization: a claim locks its row": _rate(units.claims_per_s, later),
        "one organization: a hold and a settlement change its row": units.holds_per_s,
        f"the database's disk, if it does {commits} as this one": _rate(units.commits_per_s, one.asked.commits),
        f"the database's {machine.cores} cores": _rate(machine.cores, one.asked.cpu_in_s),
        "the database's 100 connections": 100 / a_machine * at_work.a_machine_per_s,
        "Redis: one core": _rate(1.0, units.redis_in_s),
        "SQLite in place of it all: one writer": units.sqlite_holds_per_s,
        f"one machine's network: {machine.network_in_bits_per_s / 1e9:g} Gbit/s in": _rate(
            machine.network_in_bits_per_s, 8 * one.received_in_bytes
        ),
    }
    return sorted((Ceiling(name, per_s) for name, per_s in found.items()), key=lambda ceiling: ceiling.per_s)


def _rate(capacity: float, cost: float) -> float:
    return capacity / cost if cost else math.inf
