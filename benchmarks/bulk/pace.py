"""How quick a run is beside the engines alone, on the same files, one right after the other."""

import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.bulk.command import Bulk
from benchmarks.goals import Verdict
from benchmarks.load.stage import Part, table
from benchmarks.peers import ROOT

LEAST: Final = 0.9
_RUN: Final = "run"
_FILES: Final = "engines, files"
_BYTES: Final = "engines, bytes"
_WAYS: Final = (_RUN, _FILES, _BYTES)


@dataclass(frozen=True, slots=True)
class Lap:
    """What one way took for one part of the library: wall-clock time, and CPU of all its processes."""

    seconds: float
    cpu_in_s: float


def part(library: Path, outputs: Path, scratch: Path, rounds: int) -> Part:
    """Do a part of the library in each round in every way, one right after the other, each time in another order."""
    laps: list[dict[str, Lap]] = []
    rows: list[list[object]] = []
    for number, folder in enumerate(_parts(library, scratch, rounds)):
        count = _warm(folder)
        took = {way: _lap(way, folder, outputs, scratch) for way in (*_WAYS[number % 3 :], *_WAYS[: number % 3])}
        laps.append(took)
        rates = [count / took[way].seconds for way in _WAYS]
        cpu_in_ms = [1000 * took[way].cpu_in_s / count for way in _WAYS]
        rows.append([number + 1, count, *rates, rates[0] / rates[1], *cpu_in_ms, cpu_in_ms[1] / cpu_in_ms[0]])
    head = ["part", "images", *(f"{way}: /s" for way in _WAYS), "run : files"]
    head += [*(f"{way}: CPU, ms" for way in _WAYS), "run : files, by CPU"]
    lines = [
        "Whole processes from start to end, engines included; the run also reads the folder and writes its outputs. By "
        "CPU it is told how quick both would be on a machine that does nothing else.",
        "",
        *table(head, rows),
    ]
    figures = {"laps": [{way: dataclasses.asdict(lap) for way, lap in took.items()} for took in laps]}
    by_clock = [took[_FILES].seconds / took[_RUN].seconds for took in laps]
    by_cpu = [took[_FILES].cpu_in_s / took[_RUN].cpu_in_s for took in laps]
    verdicts = [_verdict("pace", by_clock), _verdict("pace by CPU", by_cpu)]
    return Part("pace", "Pace", figures, lines, verdicts)


def _verdict(what: str, ratios: Sequence[float]) -> Verdict:
    median = statistics.median(ratios)
    measured = f"{median:.3f}× in the median of {len(ratios)} parts, {min(ratios):.3f}× to {max(ratios):.3f}×"
    return Verdict(f"at least {LEAST:g}× the engines' {what} on the same files", measured, median >= LEAST)


def _lap(way: str, folder: Path, outputs: Path, scratch: Path) -> Lap:
    before = _cpu_in_s()
    seconds = _run(folder, outputs, scratch) if way == _RUN else _engines(folder, outputs, way)
    return Lap(seconds, _cpu_in_s() - before)


def _cpu_in_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _parts(library: Path, scratch: Path, rounds: int) -> Sequence[Path]:
    folders = [scratch / f"part-{number}" for number in range(rounds)]
    for number, path in enumerate(sorted(path for path in library.rglob("*.*") if path.is_file())):
        place = folders[number % rounds] / path.relative_to(library)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, place)
    return folders


def _warm(folder: Path) -> int:
    """Have the system read every file, so that nobody waits for the disk, and give how many there are."""
    return sum(len(path.read_bytes()) > 0 for path in folder.rglob("*") if path.is_file())


def _run(folder: Path, outputs: Path, scratch: Path) -> float:
    # Deleted only at the end: ext4 looks long for an inode where thousands were given back a moment ago.
    ended = Bulk(folder, scratch / f"{folder.name}-destination", outputs).to_the_end()
    if ended.code:
        raise RuntimeError(f"a run failed with exit code {ended.code}")
    return ended.seconds


def _engines(folder: Path, outputs: Path, way: str) -> float:
    ending = "path" if way == _FILES else "bytes"
    command = [sys.executable, "-m", "benchmarks.bulk.in_process", str(outputs), str(folder), ending]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - started
    if not json.loads(done.stdout)["done"]:
        raise RuntimeError("the engines did nothing")
    return seconds
