"""What a request costs the process that speaks HTTP: by way of sending, by size, answered now or later; its memory."""

import contextlib
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from benchmarks.load.picture_server import PictureServer, serving_pictures
from benchmarks.load.pictures import Picture, opened
from benchmarks.load.server import Server, serving
from benchmarks.load.stage import Part, table
from benchmarks.photos import Photo
from benchmarks.scaling import asking
from benchmarks.scaling.asking import Question, Traffic
from benchmarks.scaling.clocks import memory_of

WAYS: Final = ("multipart", "base64", "url", "job")
SIZES: Final = ("small", "large")
_ROUNDS: Final = 3
_REQUESTS: Final = {"small": 100, "large": 40}
_AT_ONCE: Final = 4
_CROWD: Final = 64
_ALL_DONE_WITHIN_IN_S: Final = 120.0
_OPEN: Final = "SELECT count(*) FROM jobs WHERE ended_at_in_ms IS NULL"


@dataclass(frozen=True, slots=True)
class Door:
    """A server, what is sent to it, and how it is watched."""

    server: Server
    key: str
    pictures: Sequence[Picture]
    pages: PictureServer

    def question(self, way: str, size: str, number: int) -> Question:
        """Give a request that nobody has sent before."""
        small, *large = self.pictures
        picture = small if size == "small" else large[number % len(large)]
        if way == "url":
            return asking.by_url(self.pages.url(picture, number))
        data = picture.variant_in_memory(number)
        if way == "base64":
            return asking.in_base64(data)
        return asking.for_later(asking.in_multipart(data)) if way == "job" else asking.in_multipart(data)

    def cost(self, way: str, size: str, lap: int) -> tuple[float, float, Traffic]:
        """Give CPU seconds of a request, front and engine, and the traffic of all."""
        count = _REQUESTS[size]
        # No number comes twice in a run.
        first = (lap * len(WAYS) + WAYS.index(way)) * 1000
        before = self.server.cpu()
        traffic = asking.ask(
            self.server_url, self.key, lambda number: self.question(way, size, first + number), count, _AT_ONCE
        )
        if way == "job":
            self._await_jobs()
        spent = self.server.cpu() - before
        return spent.front_in_s / count, spent.engines_in_s / count, traffic

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def _await_jobs(self) -> None:
        path = Path(self.server.environment["IMAGEPLANE_DATA_DIR"], "imageplane.db")
        until = time.monotonic() + _ALL_DONE_WITHIN_IN_S
        with contextlib.closing(sqlite3.connect(path)) as connection:
            while connection.execute(_OPEN).fetchone()[0]:
                if time.monotonic() > until:
                    raise RuntimeError("the jobs were never done")
                time.sleep(0.1)


def part(photos: Sequence[Photo], scratch: Path, step: Callable[[str], None]) -> Part:
    """Send small and large photos in every way, by turns, to a server with one engine."""
    laps: dict[str, list[tuple[float, float, Traffic]]] = {}
    with _opened(photos, scratch) as door:
        memory: dict[str, Any] = {"front_fresh": _front_in_mib(door)}
        for lap in range(_ROUNDS + 1):
            step(f"front: round {lap} of {_ROUNDS}")
            for way in WAYS:
                for size in SIZES:
                    laps.setdefault(f"{way}, {size}", []).append(door.cost(way, size, 2 * lap + SIZES.index(size)))
        memory["front_after"] = _front_in_mib(door)
        step(f"front: {_CROWD} large photos at once")
        asking.ask(door.server_url, door.key, lambda n: door.question("multipart", "large", 10**6 + n), 128, _CROWD)
        memory["front_peak_with_crowd"] = _peak_in_mib(door)
        sizes = {"small": len(door.pictures[0].plain), "large": round(_mean(len(p.plain) for p in door.pictures[1:]))}
    # The first lap is a warm-up.
    figures = {name: _median_of(found[1:]) for name, found in laps.items()}
    found = {"source_bytes": sizes, "ways": figures, "memory_in_mib": memory, "crowd": _CROWD}
    return Part("doors", "A request at the door", found, _lines(found))


@contextlib.contextmanager
def _opened(photos: Sequence[Photo], scratch: Path) -> Iterator[Door]:
    small = scratch / "small.jpg"
    with Image.open(photos[0].path) as image:
        image.convert("RGB").resize((800, 600)).save(small, "JPEG", quality=85)
    folder = scratch / "door"
    paths = [small, *(photo.path for photo in photos)]
    with (
        opened(paths, scratch) as pictures,
        serving_pictures(pictures) as pages,
        serving(folder, {"ENGINE__COUNT": "1"}) as server,
    ):
        yield Door(server, server.new_key("customer", 1_000_000), pictures, pages)


def _median_of(laps: Sequence[tuple[float, float, Traffic]]) -> dict[str, float]:
    traffic = laps[0][2]
    return {
        "front_in_s": round(statistics.median(front for front, _, _ in laps), 5),
        "engine_in_s": round(statistics.median(engine for _, engine, _ in laps), 5),
        "bytes_in": round(traffic.bytes_in / traffic.requests),
        "bytes_out": round(traffic.bytes_out / traffic.requests),
    }


def _front_in_mib(door: Door) -> float:
    return memory_of([door.server.process]).proportional_in_mib


def _peak_in_mib(door: Door) -> float:
    lines = Path(f"/proc/{door.server.process.pid}/status").read_text("ascii").splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024, 1)


def _mean(values: Iterator[int]) -> float:
    return statistics.mean(values)


def _lines(found: dict[str, Any]) -> list[str]:
    rows = [
        (name, each["front_in_s"] * 1000, each["engine_in_s"] * 1000, each["bytes_in"], each["bytes_out"])
        for name, each in found["ways"].items()
    ]
    memory, sizes = found["memory_in_mib"], found["source_bytes"]
    return [
        f"An avatar by `resize`, {_AT_ONCE} requests at a time, one engine, SQLite; files of {sizes['small']:,} and "
        f"{sizes['large']:,} bytes. What a job costs includes taking it in, doing it and keeping what came of it.",
        "",
        *table(("way, file", "front CPU ms", "engine CPU ms", "body bytes in", "bytes out"), rows),
        f"The front holds {memory['front_fresh']:.0f} MiB when it is fresh and {memory['front_after']:.0f} MiB after "
        f"these; its resident set peaked at {memory['front_peak_with_crowd']:.0f} MiB with {_CROWD} large uploads at "
        "once.",
    ]
