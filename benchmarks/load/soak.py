"""Tens of thousands of mixed requests: is the memory of server and engines flat?"""

import asyncio
import itertools
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from benchmarks.goals import Verdict
from benchmarks.load.asking import LAUNCH, WAYS, Request, Wish, new_idempotency_key
from benchmarks.load.client import Connections
from benchmarks.load.judging import Bench
from benchmarks.load.observer import Seen, observing
from benchmarks.load.patience import Patience, insist
from benchmarks.load.pictures import Picture, opened
from benchmarks.load.server import serving
from benchmarks.load.stage import Part, Stage, table
from benchmarks.soak import FLAT_WITHIN
from benchmarks.uploads import made

_CLIENTS: Final = 8
_ONE_PHOTO_IN: Final = 20
_ONE_MADE_IN: Final = 4
_ONE_FAULTY_IN: Final = 50
_KEPT_SAMPLES: Final = 400


def _resized(width_in_px: int, height_in_px: int, *others: dict[str, Any], kind: str = "webp") -> Wish:
    size = {"width_in_px": width_in_px, "height_in_px": height_in_px}
    last = {"type": "convert", "format": kind, "quality": 80}
    operations = ({"type": "resize", **size, "fit": "cover"}, *others, last)
    name = f"{kind} of {width_in_px}×{height_in_px}"
    return Wish(name, width_in_px, height_in_px, operations, f"image/{kind}")


_WISHES: Final = (
    *LAUNCH,
    _resized(200, 200),
    _resized(321, 401, {"type": "grayscale"}, kind="jpeg"),
    _resized(473, 473, {"type": "blur", "sigma": 2.1}, kind="jpeg"),
    _resized(150, 150, kind="png"),
    _resized(121, 473, {"type": "modulate", "brightness": 1.1, "saturation": 0.9}),
    _resized(300, 200, kind="avif"),
)
_FAULTY: Final = Wish("faulty", 1, 1, ({"type": "crop", "left_in_px": 10**6, "top_in_px": 0},))


@dataclass(slots=True)
class Soak:
    """What came of it. Gives: the moments at which each quarter of the requests was done."""

    count: int
    started_at: float = 0.0
    quarters_at: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    bench: Bench = field(default_factory=Bench)
    seen: Seen = field(default_factory=Seen)
    files_open: tuple[int, int] = (0, 0)

    def quarters(self, part: int) -> list[float]:
        """Give the mean memory by quarter, in MiB: of the front (1), of the engines (2), proportional of all (3)."""
        ends = [self.started_at, *self.quarters_at]
        return [
            round(statistics.fmean([row[part] or 0 for row in self._rows(start, end, part)] or [0.0]), 1)
            for start, end in itertools.pairwise(ends)
        ]

    def _rows(self, start: float, end: float, part: int) -> list[tuple[float, float, float, float | None]]:
        return [row for row in self.seen.memory if start < row[0] <= end and row[part] is not None]

    def growth(self, part: int) -> float:
        """The last quarter to the second."""
        quarters = self.quarters(part)
        return quarters[3] / (quarters[1] or 1)


def run(stage: Stage) -> Part:
    """Do all the requests and look at the memory."""
    folder, soak = stage.folder("soak"), Soak(stage.sizes.soak)
    uploads = [upload.path for upload in made(folder) if upload.path.suffix != ".svg"]
    with opened(uploads, stage.folder("soak")) as others, serving(folder) as server:
        key = server.new_key("soak", 2 * stage.sizes.soak)
        # The server of pictures knows only those of the stage.
        made_here = [replace(picture, index=-1 - picture.index) for picture in others]
        requests = _requests(stage, made_here, key)
        files = server.process.num_fds()
        with observing(server.process.pid, server.port) as soak.seen:
            asyncio.run(_soak(stage, server.port, requests, soak))
        soak.files_open = (files, server.process.num_fds())
        charged = server.charged(key)
    soak.bench.judge()
    return _part(soak, charged)


def _requests(stage: Stage, made_here: Sequence[Picture], key: str) -> Iterator[Request]:
    chance = random.Random(473)  # noqa: S311 - the same requests in every run
    for number in range(stage.sizes.soak):
        if number % _ONE_PHOTO_IN == 0:
            picture = chance.choice(stage.large)
        else:
            picture = chance.choice(made_here if number % _ONE_MADE_IN == 0 else stage.small)
        way = chance.choice(WAYS if picture.index >= 0 else WAYS[:2])
        wish = _FAULTY if number % _ONE_FAULTY_IN == 1 else chance.choice(_WISHES)
        url = stage.picture_server.url(picture, number) if way == "url" else ""
        yield Request(picture, number, wish, way, key, new_idempotency_key() if number % 3 == 0 else None, url)


async def _soak(stage: Stage, port: int, requests: Iterator[Request], soak: Soak) -> None:
    connections, done = Connections(port, _CLIENTS), 0
    bar = stage.progress.add_task("soak", total=soak.count)
    soak.started_at = time.monotonic()

    async def client() -> None:
        nonlocal done
        for request in requests:
            outcome = await insist(connections, request, Patience())
            what = "a fault of its own" if request.wish is _FAULTY and outcome.status == 400 else outcome.trouble
            soak.statuses[what or "answered"] += 1
            soak.bench.add(outcome)
            done += 1
            if done in {soak.count * part // 4 for part in (1, 2, 3, 4)}:
                soak.quarters_at.append(time.monotonic())
            stage.progress.update(bar, advance=1)

    await asyncio.gather(*(client() for _ in range(_CLIENTS)))
    connections.close()
    stage.progress.remove_task(bar)


def _part(soak: Soak, charged: tuple[int, float]) -> Part:
    rows = {
        "server": soak.quarters(1),
        "engines": soak.quarters(2),
        "server and engines, proportional": soak.quarters(3),
    }
    growth = {name: round(soak.growth(part), 3) for part, name in enumerate(rows, 1)}
    figures = {
        "requests": soak.count,
        "duration_in_s": round(soak.quarters_at[-1] - soak.started_at, 1),
        "quarters_in_mib": rows,
        "growth": growth,
        "outcomes": dict(soak.statuses),
        "wrong": dict(soak.bench.wrong),
        "charged_requests_and_credits": charged,
        "open_files_before_and_after": soak.files_open,
        "health_live": soak.seen.summary(),
        "memory_samples": soak.seen.memory[:: max(1, len(soak.seen.memory) // _KEPT_SAMPLES)],
    }
    verdicts = [
        Verdict(
            f"memory of {name} flat over {soak.count:,} requests",
            f"last quarter {times:.2f} × the second, at most {FLAT_WITHIN:g}",
            times <= FLAT_WITHIN,
        )
        for name, times in growth.items()
    ]
    lines = table(
        ("mean by quarter, MiB", "1st", "2nd", "3rd", "4th", "4th to 2nd"),
        [(name, *quarters, growth[name]) for name, quarters in rows.items()],
    )
    lines += [f"- {count:,} × {what}" for what, count in soak.statuses.most_common(12)]
    lines += ["", f"Files open in the server before and after: {soak.files_open[0]} and {soak.files_open[1]}.", ""]
    known = ("answered", "a fault of its own")
    faults = [f"{count} × {what}" for what, count in soak.statuses.items() if what not in known]
    faults += [f"{count} wrong replies: {what}" for what, count in soak.bench.wrong.items()]
    if charged[1] != soak.statuses["answered"]:
        faults.append(f"{charged[1]:g} credits were charged for {soak.statuses['answered']} pictures")
    return Part("soak", f"{soak.count:,} mixed requests, {_CLIENTS} clients", figures, lines, verdicts, faults)
