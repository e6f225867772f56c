"""What requests and jobs ask of PostgreSQL, and of the processes around it."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.load.server import Server, serving
from benchmarks.load.stage import Part, table
from benchmarks.scaling import asking
from benchmarks.scaling.clocks import cpu_in_s
from benchmarks.scaling.kinds import KINDS, OPEN, Kind
from benchmarks.scaling.postgres import Connections, Watched, Work
from benchmarks.scaling.taking import taking

_PROGRAM: Final = str(Path(sys.executable).with_name("imageplane"))
_ALL_DONE_WITHIN_IN_S: Final = 120.0
_GLANCE_IN_S: Final = 0.25
_IDLE_FOR_IN_S: Final = 6.0
# So many of the requests are done once more while statements are written to the log, which takes time of its own.
_LOGGED: Final = 4
_GROWTH: Final = "SELECT pg_total_relation_size('ledger_entries'), pg_total_relation_size('jobs')"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a kind of request took, each: CPU seconds of the server's front, and of a worker beside its engines.

    Takes: `ledger_in_bytes` and `jobs_in_bytes`, by how much the tables grew; the most `connections` seen at once.
    """

    database: Work
    front_in_s: float
    worker_in_s: float
    seconds: float
    ledger_in_bytes: float
    jobs_in_bytes: float
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """A server on PostgreSQL that leaves jobs to a worker."""

    watched: Watched
    url: str
    server: Server
    key: str

    def measure(self, kind: Kind) -> Spent:
        """Do all requests of a kind, and some of them again with their statements counted."""
        with self._worker() if kind.is_job else contextlib.nullcontext() as worker:
            connections = Connections(self.watched, self.url)
            with connections.counted():
                spent = self._done(kind, worker)
            self.watched.log_statements(is_on=True)
            logged = self._done(replace(kind, count=kind.count // _LOGGED), worker)
            self.watched.log_statements(is_on=False)
        database = replace(spent.database, statements=logged.database.statements)
        return replace(spent, database=database, connections=connections.most)

    def idle(self, *, with_worker: bool) -> dict[str, float]:
        """Give what the database does in a second when nobody asks for anything."""
        with self._worker() if with_worker else contextlib.nullcontext():
            self.watched.log_statements(is_on=True)
            mark = self.watched.mark()
            time.sleep(_IDLE_FOR_IN_S)
            work = self.watched.since(mark)
            self.watched.log_statements(is_on=False)
        return {name: value / _IDLE_FOR_IN_S for name, value in asdict(work).items()}

    def _done(self, kind: Kind, worker: "psutil.Popen | None") -> Spent:
        before, mark, started = self._clocks(worker), self.watched.mark(), time.monotonic()
        asking.ask(f"http://127.0.0.1:{self.server.port}", self.key, kind.question, kind.count, kind.at_once)
        looks = self._await_jobs() if kind.is_job else 0
        seconds, work = time.monotonic() - started, self.watched.since(mark)
        front, behind, ledger, jobs = (
            (after - was) / kind.count for after, was in zip(self._clocks(worker), before, strict=True)
        )
        # What we asked ourselves is not theirs.
        work = replace(work, statements=max(0, work.statements - looks)).each(kind.count)
        return Spent(work, round(front, 5), round(behind, 5), seconds / kind.count, ledger, jobs)

    def _clocks(self, worker: "psutil.Popen | None") -> tuple[float, float, float, float]:
        ledger, jobs = self.watched.row(_GROWTH, self.url)
        return self.server.cpu().front_in_s, cpu_in_s(worker) if worker else 0.0, float(ledger), float(jobs)

    def _await_jobs(self) -> int:
        until, looks = time.monotonic() + _ALL_DONE_WITHIN_IN_S, 1
        while self.watched.row(OPEN, self.url)[0]:
            if time.monotonic() > until:
                raise RuntimeError("the jobs were never done")
            time.sleep(_GLANCE_IN_S)
            looks += 1
        return looks

    @contextlib.contextmanager
    def _worker(self) -> "Iterator[psutil.Popen]":
        folder = self.server.log.parent / "worker"
        environment = dict(self.server.environment) | {
            "IMAGEPLANE_DATA_DIR": str(folder),
            "IMAGEPLANE_JOBS__CONCURRENCY": "16",
        }
        with (self.server.log.parent / "worker.log").open("ab") as log:
            worker = psutil.Popen([_PROGRAM, "worker"], env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            # It has to be up before jobs come, so that what starting takes is not counted for them.
            job = Kind("first", 1, 1, is_job=True)
            asking.ask(f"http://127.0.0.1:{self.server.port}", self.key, job.question, 1, 1)
            self._await_jobs()
            yield worker
        finally:
            worker.terminate()
            worker.wait()


def part(watched: Watched, scratch: Path, step: Callable[[str], None]) -> Part:
    """Measure every kind of request, and idleness."""
    url = watched.new_database()
    blobs = (scratch / "blobs").as_uri()
    settings = {"DATABASE__URL": url, "BLOBS__URL": blobs, "JOBS__CONCURRENCY": "0", "ENGINE__COUNT": "1"}
    with serving(scratch / "tables", settings) as server, taking() as receiver:
        site = Site(watched, url, server, server.new_key("customer", 10_000_000))
        asking.ask(f"http://127.0.0.1:{server.port}", site.key, KINDS[0].question, 50, 8)
        found: dict[str, Any] = {}
        for kind in KINDS:
            step(f"PostgreSQL: {kind.name}")
            found[kind.name] = asdict(site.measure(kind.told(receiver)))
        step("PostgreSQL: idle")
        idle = {"server": site.idle(with_worker=False), "server and worker": site.idle(with_worker=True)}
    version = watched.row("SHOW server_version")[0]
    figures = {"kinds": found, "idle": idle, "version": version}
    return Part("postgresql", f"Requests on PostgreSQL {version}", figures, list(_lines(found, idle)))


def _lines(found: Mapping[str, Any], idle: Mapping[str, Any]) -> Iterator[str]:
    yield "Of each request; images of 8×8 pixels, one server with one engine, jobs by one worker with one engine."
    yield ""
    rows = []
    for name, each in found.items():
        work = each["database"]
        rows.append(
            (
                name,
                *(float(work[key]) for key in ("statements", "commits", "rows")),
                round(work["wal_in_bytes"]),
                work["cpu_in_s"] * 1000,
                each["front_in_s"] * 1000,
                each["worker_in_s"] * 1000 or None,
                1 / each["seconds"],
                round(each["ledger_in_bytes"]),
                round(each["jobs_in_bytes"]),
                each["connections"],
            )
        )
    head = "requests|statements|commits|rows written|WAL bytes|its CPU ms|front CPU ms|worker CPU ms|a second here"
    yield from table((*head.split("|"), "ledger grows by bytes", "jobs by bytes", "connections"), rows)
    yield "The connections of jobs are those of server and worker together."
    yield ""
    for name, each in idle.items():
        yield (
            f"- A {name} with nothing to do: {each['statements']:.1f} statements, {each['commits']:.2f} commits and "
            f"{each['cpu_in_s'] * 1000:.1f} ms of its CPU a second"
        )
