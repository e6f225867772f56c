"""Who takes part in the race, and one lap of each: a number of clients that wait for each picture before the next."""

import asyncio
import contextlib
import io
import itertools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import psutil
from PIL import Image

from benchmarks.jobs import Wanted
from benchmarks.load.asking import Request, Wish
from benchmarks.load.client import Connections, Reply
from benchmarks.load.pictures import Body, Picture
from benchmarks.load.rivals import Rival
from benchmarks.load.server import Server

# The pipeline fills before the clock starts.
LEAD_IN_S: Final = 0.5
_PATIENCE_IN_S: Final = 120.0
_numbers = itertools.count(10**6)


@dataclass(frozen=True, slots=True)
class Lap:
    """What a racer did in a lap.

    Takes: moments since the start at which pictures were done, with the seconds that each took; the CPU of the
    servers and that of the clients; `faults` of replies.
    """

    seconds: float
    took: Sequence[tuple[float, float]]
    cpu_in_s: float
    client_cpu_in_s: float
    faults: Sequence[str] = ()

    @property
    def rate(self) -> float:
        """Pictures a second, after the lead."""
        return sum(LEAD_IN_S < at <= LEAD_IN_S + self.seconds for at, _ in self.took) / self.seconds

    @property
    def times_in_s(self) -> list[float]:
        return [took for _, took in self.took]

    def per_picture_in_ms(self, cpu_in_s: float) -> float:
        """Give CPU of the whole lap by picture."""
        return cpu_in_s * 1000 / (len(self.took) or 1)


class Racer(Protocol):
    """Someone who makes pictures."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    async def lap(self, wanted: Wanted, clients: int, seconds: float) -> Lap:
        """Make as many as it can in so many seconds."""


@dataclass(frozen=True, slots=True)
class OverHttp:
    """A server, asked over connections that are kept."""

    name: str
    label: str
    port: int
    picture: Picture
    message: Callable[[Picture, int, Wanted], Body]
    server_cpu_in_s: Callable[[], float]

    async def lap(self, wanted: Wanted, clients: int, seconds: float) -> Lap:
        """Make as many as it can in so many seconds."""
        connections, took, last = Connections(self.port, clients), list[tuple[float, float]](), list[Reply]()
        faults: list[str] = []
        started, cpu, own = time.monotonic(), self.server_cpu_in_s(), own_cpu_in_s()
        until = started + LEAD_IN_S + seconds

        async def client() -> None:
            while time.monotonic() < until:
                asked = time.monotonic()
                reply = await connections.exchange(self.message(self.picture, next(_numbers), wanted), _PATIENCE_IN_S)
                now = time.monotonic()
                if reply.status == 200:
                    took.append((now - started, now - asked))
                    last[:] = [reply]
                else:
                    faults.append(f"{reply.status}: {bytes(reply.body[:100])!r}")
                    await asyncio.sleep(float(reply.headers.get("retry-after", 0)))

        await asyncio.gather(*(client() for _ in range(clients)))
        own, cpu = own_cpu_in_s() - own, self.server_cpu_in_s() - cpu
        connections.close()
        faults += [fault for reply in last if (fault := _fault(bytes(reply.body), wanted))]
        return Lap(seconds, took, cpu, own, faults)


def _fault(picture: bytes, wanted: Wanted) -> str | None:
    with Image.open(io.BytesIO(picture)) as image:
        image.load()
        is_right = image.size == (wanted.width_in_px, wanted.height_in_px) and image.format == wanted.format.upper()
        return None if is_right else f"{image.format} of {image.size}"


def ours(server: Server, key: str, picture: Picture, label: str, name: str) -> OverHttp:
    """Give our server as a racer: multipart in, the image itself out."""

    def message(picture: Picture, number: int, wanted: Wanted) -> Body:
        wish = Wish("race", wanted.width_in_px, wanted.height_in_px, wanted.operations)
        return Request(picture, number, wish, "multipart", key).message()

    def cpu_in_s() -> float:
        cpu = server.cpu()
        return cpu.front_in_s + cpu.engines_in_s

    return OverHttp(name, label, server.port, picture, message, cpu_in_s)


def rival(rival: Rival, picture: Picture) -> OverHttp:
    """Give another server as a racer."""

    def message(picture: Picture, number: int, wanted: Wanted) -> Body:
        return rival.message(picture, number, wanted, False)

    return OverHttp(rival.name, rival.label, rival.port, picture, message, rival.cpu_in_s)


@dataclass(frozen=True, slots=True)
class InProcess:
    """The engines without HTTP, in a process of their own."""

    name: str
    label: str
    process: psutil.Popen

    async def lap(self, wanted: Wanted, clients: int, seconds: float) -> Lap:
        """Make as many as it can in so many seconds."""
        order = {"operations": wanted.operations, "clients": clients, "lead_in_s": LEAD_IN_S, "seconds": seconds}
        own = own_cpu_in_s()
        done = await asyncio.to_thread(self._ask, order)
        return Lap(seconds, [tuple(each) for each in done["took"]], done["cpu_in_s"], own_cpu_in_s() - own)

    def _ask(self, order: dict[str, Any]) -> Any:
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextlib.contextmanager
def in_process(name: str, label: str, count: int, picture: Picture, environment: dict[str, str]) -> Iterator[InProcess]:
    """Run so many engines without HTTP for a block."""
    command = [sys.executable, "-m", "benchmarks.load.in_process", str(count), str(picture.path)]
    process = psutil.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        json.loads(process.stdout.readline())
        yield InProcess(name, label, process)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def own_cpu_in_s() -> float:
    """Give the user and system time of this process, the clients."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
