"""What requests and jobs ask of SQLite: commits and bytes, read from its write-ahead log."""

import contextlib
import sqlite3
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.load.server import Server, serving
from benchmarks.load.stage import Part, table
from benchmarks.scaling import asking
from benchmarks.scaling.kinds import KINDS, OPEN, Kind
from benchmarks.scaling.taking import taking

# https://www.sqlite.org/fileformat2.html, 4.1
_HEADER_IN_BYTES: Final = 32
_FRAME_HEADER_IN_BYTES: Final = 24
_ALL_DONE_WITHIN_IN_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Log:
    """How much stands in the log: frames of one page each, and those that end a transaction."""

    frames: int
    commits: int
    size_in_bytes: int


def read_log(path: Path) -> Log:
    """Count what stands in a log.

    Method: the frames after the header up to the first whose salt is another, which is left from before.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER_IN_BYTES)
        (page_in_bytes,) = struct.unpack(">I", head[8:12])
        size, frames, commits = page_in_bytes + _FRAME_HEADER_IN_BYTES, 0, 0
        while len(frame := file.read(size)) == size and frame[8:16] == head[16:24]:
            frames += 1
            # A frame that ends a transaction tells how large the database is after it.
            commits += frame[4:8] != bytes(4)
    return Log(frames, commits, frames * size)


@contextlib.contextmanager
def _kept(path: Path) -> Iterator[None]:
    """Keep the log from being begun anew during the block, as any reader does."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM organizations").fetchone()
        yield


def part(scratch: Path, step: Callable[[str], None]) -> Part:
    """Measure every kind of request."""
    found: dict[str, Any] = {}
    with serving(scratch / "sqlite", {"ENGINE__COUNT": "1"}) as server, taking() as receiver:
        key = server.new_key("customer", 10_000_000)
        asking.ask(f"http://127.0.0.1:{server.port}", key, KINDS[0].question, 50, 8)
        for kind in KINDS:
            step(f"SQLite: {kind.name}")
            found[kind.name] = _measured(server, key, kind.told(receiver))
    return Part("sqlite", f"Requests on SQLite {sqlite3.sqlite_version}", found, list(_lines(found)))


def _measured(server: Server, key: str, kind: Kind) -> Mapping[str, float]:
    path = Path(server.environment["IMAGEPLANE_DATA_DIR"], "imageplane.db")
    with _kept(path):
        log = path.with_name(f"{path.name}-wal")
        before, spent, started = read_log(log), server.cpu(), time.monotonic()
        asking.ask(f"http://127.0.0.1:{server.port}", key, kind.question, kind.count, kind.at_once)
        _await_jobs(path)
        seconds, spent, after = time.monotonic() - started, server.cpu() - spent, read_log(log)
    return {
        "commits": (after.commits - before.commits) / kind.count,
        "pages": (after.frames - before.frames) / kind.count,
        "log_in_bytes": (after.size_in_bytes - before.size_in_bytes) / kind.count,
        "front_in_s": spent.front_in_s / kind.count,
        "per_s": kind.count / seconds,
    }


def _await_jobs(path: Path) -> None:
    until = time.monotonic() + _ALL_DONE_WITHIN_IN_S
    with contextlib.closing(sqlite3.connect(path)) as connection:
        while connection.execute(OPEN).fetchone()[0]:
            if time.monotonic() > until:
                raise RuntimeError("the jobs were never done")
            time.sleep(0.1)


def _lines(found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    rows = [
        (name, each["commits"], each["pages"], round(each["log_in_bytes"]), each["front_in_s"] * 1000, each["per_s"])
        for name, each in found.items()
    ]
    yield "Of each request, as for PostgreSQL; the server does its jobs itself."
    yield ""
    yield from table(("requests", "commits", "pages", "log bytes", "front CPU ms", "a second here"), rows)
