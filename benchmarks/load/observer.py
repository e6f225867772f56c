"""Watches a server from a process of its own: `python -m benchmarks.load.observer PROCESS-ID PORT PATH`.

Twenty times a second it asks for a path over a new connection, whether or not earlier askers still wait. It adds up
the memory of the process and its children. When its standard input ends, it tells all of it as JSON.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import psutil

PROBE_EVERY_IN_S: Final = 0.05
_MEMORY_EVERY_IN_S: Final = 0.25
# The proportional set is a walk over all pages, for which the process stands still.
_PROPORTIONAL_EVERY: Final = 4
_LONGEST_PROBE_IN_S: Final = 60.0
_SLOWEST_KEPT: Final = 20
_MIB: Final = 1024**2


@dataclass(slots=True)
class Seen:
    """What was seen of a server.

    Gives: `probes`, moments on the monotonic clock and how long the answer took, or None when there was none;
    `memory`, moments and MiB: resident of the front, resident of all children, and the proportional set of all
    together or None where it was not read.
    """

    probes: list[tuple[float, float | None]] = field(default_factory=list)
    memory: list[tuple[float, float, float, float | None]] = field(default_factory=list)

    def probe_in_ms(self, percent: float) -> float | None:
        """Give a percentile of the probes that were answered."""
        took = [took for _, took in self.probes if took is not None]
        return float(np.percentile(took, percent)) * 1000 if took else None

    @property
    def failed_probes(self) -> int:
        return sum(took is None for _, took in self.probes)

    @property
    def peak_resident_in_mib(self) -> float:
        return max((front + engines for _, front, engines, _ in self.memory), default=0.0)

    @property
    def peak_proportional_in_mib(self) -> float:
        return max((pss for *_, pss in self.memory if pss is not None), default=0.0)

    @property
    def peak_front_in_mib(self) -> float:
        return max((front for _, front, _, _ in self.memory), default=0.0)

    def _slowest(self) -> list[tuple[float, float]]:
        start = min((at for at, _ in self.probes), default=0.0)
        slowest = sorted(((took, at) for at, took in self.probes if took is not None), reverse=True)[:_SLOWEST_KEPT]
        return sorted((round(at - start, 2), round(took * 1000, 1)) for took, at in slowest)

    def summary(self) -> dict[str, Any]:
        """Give the figures that are kept."""
        return {
            "probes": len(self.probes),
            "failed_probes": self.failed_probes,
            **{f"probe_p{percent}_in_ms": self.probe_in_ms(percent) for percent in (50, 99, 100)},
            "slowest_probes_at_s_and_in_ms": self._slowest(),
            "peak_resident_in_mib": self.peak_resident_in_mib,
            "peak_front_in_mib": self.peak_front_in_mib,
            "peak_proportional_in_mib": self.peak_proportional_in_mib,
        }


@contextlib.contextmanager
def observing(process_id: int, port: int, path: str = "/health/live") -> Iterator[Seen]:
    """Watch a server for a block; what was seen is there when it ends."""
    command = [sys.executable, "-m", "benchmarks.load.observer", str(process_id), str(port), path]
    seen = Seen()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watcher:
        try:
            yield seen
        finally:
            told, _ = watcher.communicate()
            found = json.loads(told or b'{"probes":[],"memory":[]}')
            seen.probes, seen.memory = found["probes"], found["memory"]


async def _watch(process_id: int, port: int, path: str) -> Seen:
    seen, request = Seen(), f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    weighing = asyncio.create_task(_weigh(psutil.Process(process_id), seen))
    probes: set[asyncio.Task[None]] = set()
    due = time.monotonic()
    while not ended.done():
        probe = asyncio.create_task(_probe(port, request, seen))
        probes.add(probe)
        probe.add_done_callback(probes.discard)
        due += PROBE_EVERY_IN_S
        await asyncio.wait({ended}, timeout=max(0.0, due - time.monotonic()))
    weighing.cancel()
    await asyncio.gather(*probes)
    return seen


async def _probe(port: int, request: bytes, seen: Seen) -> None:
    started, took = time.monotonic(), None
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_LONGEST_PROBE_IN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                writer.write(request)
                if (await reader.read()).startswith(b"HTTP/1.1 200"):
                    took = time.monotonic() - started
    seen.probes.append((started, took))


async def _weigh(process: psutil.Process, seen: Seen) -> None:
    count = 0
    while True:
        with contextlib.suppress(psutil.Error):
            seen.memory.append(_weight(process, with_proportional=count % _PROPORTIONAL_EVERY == 0))
        count += 1
        await asyncio.sleep(_MEMORY_EVERY_IN_S)


def _weight(process: psutil.Process, *, with_proportional: bool) -> tuple[float, float, float, float | None]:
    children, resident, proportional = process.children(recursive=True), 0.0, 0.0
    for each in (process, *children):
        with contextlib.suppress(psutil.Error):
            resident += each.memory_info().rss
            if with_proportional:
                proportional += each.memory_full_info().pss
    front = process.memory_info().rss
    return (
        time.monotonic(),
        round(front / _MIB, 1),
        round((resident - front) / _MIB, 1),
        round(proportional / _MIB, 1) if with_proportional else None,
    )


if __name__ == "__main__":
    found = asyncio.run(_watch(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
    json.dump({"probes": found.probes, "memory": found.memory}, sys.stdout)
