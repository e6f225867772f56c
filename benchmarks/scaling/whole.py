"""A whole machine at full load, beside what its single costs promise."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.load.pictures import opened
from benchmarks.load.server import Server, serving
from benchmarks.load.stage import Part, table
from benchmarks.photos import Photo
from benchmarks.scaling import asking
from benchmarks.scaling.clocks import cpu_in_s, memory_of

_REQUESTS: Final = 300
_CROWDS: Final = (1, 2, 8, 32)
_ROUNDS: Final = 3


def part(photos: Sequence[Photo], scratch: Path, step: Callable[[str], None]) -> Part:
    """Send large uploads to a server with an engine for each core, by ever more clients who wait for their replies."""
    laps: dict[int, list[Mapping[str, float]]] = {crowd: [] for crowd in _CROWDS}
    with opened([photo.path for photo in photos], scratch) as pictures, serving(scratch / "whole") as server:
        key, numbers = server.new_key("customer", 1_000_000), iter(range(10**9))

        def question(number: int) -> asking.Question:
            return asking.in_multipart(pictures[number % len(pictures)].variant_in_memory(next(numbers)))

        for lap in range(_ROUNDS + 1):
            step(f"a whole machine: round {lap} of {_ROUNDS}")
            for crowd in _CROWDS:
                laps[crowd].append(_lap(server, key, question, crowd))
        memory = memory_of([server.process, *server.engines]).proportional_in_mib
    # The first lap is a warm-up.
    crowds = {str(crowd): _median_of(found[1:]) for crowd, found in laps.items()}
    found = {"cores": os.cpu_count(), "crowds": crowds, "memory_in_mib": memory}
    return Part("whole", "A whole machine", found, _lines(found))


def _lap(server: Server, key: str, question: Callable[[int], asking.Question], crowd: int) -> dict[str, float]:
    here = psutil.Process()
    count = max(_REQUESTS // 4, _REQUESTS if crowd > 2 else 0)
    before, own, started = server.cpu(), cpu_in_s(here), time.monotonic()
    asking.ask(f"http://127.0.0.1:{server.port}", key, question, count, crowd)
    seconds, own = time.monotonic() - started, cpu_in_s(here) - own
    spent = server.cpu() - before
    return {
        "per_s": count / seconds,
        "front_in_s": spent.front_in_s / count,
        "engine_in_s": spent.engines_in_s / count,
        "client_in_s": own / count,
        "busy": (spent.front_in_s + spent.engines_in_s + own) / seconds / (os.cpu_count() or 1),
    }


def _median_of(laps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(lap[name] for lap in laps), 5) for name in laps[0]}


def _lines(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            int(crowd),
            each["per_s"],
            *(each[name] * 1000 for name in ("front_in_s", "engine_in_s", "client_in_s")),
            f"{each['busy']:.0%}",
        )
        for crowd, each in found["crowds"].items()
    ]
    head = ("clients", "a second", "front CPU ms", "engine CPU ms", "client CPU ms", "of all cores, used")
    return [
        f"The same avatars of large files by multipart, an engine for each of {found['cores']} cores. The client "
        "shares the machine. Once busy, the server with its engines holds "
        f"{found['memory_in_mib']:,.0f} MiB (proportional set).",
        "",
        *table(head, rows),
    ]
