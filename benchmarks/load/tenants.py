"""Two tenants: small thumbnails for one, in quiet and while the other floods the server with heavy work."""

import asyncio
import contextlib
import itertools
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.goals import Verdict
from benchmarks.load.asking import Request, Wish
from benchmarks.load.client import Connections
from benchmarks.load.judging import Bench
from benchmarks.load.patience import Outcome, Patience, insist
from benchmarks.load.server import Server, serving
from benchmarks.load.stage import Part, Stage, percentiles_in_ms, table

MOST_TIMES: Final = 3.0
_CREDIT: Final = 10_000_000
_THUMBNAIL: Final = Wish(
    "thumbnail",
    200,
    200,
    (
        {"type": "resize", "width_in_px": 200, "height_in_px": 200, "fit": "cover"},
        {"type": "convert", "format": "webp", "quality": 80},
    ),
)
_THUMBNAIL_CLIENTS: Final = 2
_PAUSE_IN_S: Final = 0.1
_FLOOD_CLIENTS: Final = 64
_BUILD_UP_IN_S: Final = 3.0
_MOST_TO_DRAIN_IN_S: Final = 60.0
_FLOODS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "AVIF": ({"type": "convert", "format": "avif", "quality": 60},),
    "upscale": (
        {"type": "resize", "width_in_px": 500, "height_in_px": 500, "fit": "inside"},
        {"type": "upscale", "factor": 2},
        {"type": "convert", "format": "webp", "quality": 80},
    ),
    "remove_background": ({"type": "remove_background"}, {"type": "convert", "format": "png"}),
}


@dataclass(slots=True)
class Course:
    """What was measured: seconds that thumbnails took in each round, and what became of the flood."""

    quiet: list[list[float]] = field(default_factory=list)
    flooded: list[list[float]] = field(default_factory=list)
    thumbnails: Counter[str] = field(default_factory=Counter)
    flood: Counter[str] = field(default_factory=Counter)
    bench: Bench = field(default_factory=Bench)

    @property
    def ratios(self) -> list[float]:
        """The p95 in the flood to the one in quiet, by round."""
        pairs = zip(self.flooded, self.quiet, strict=True)
        return [percentiles_in_ms(there)["p95"] / percentiles_in_ms(here)["p95"] for there, here in pairs]


def run(stage: Stage) -> Part:
    """Measure quiet and flood, by turns."""
    with serving(stage.folder("tenants")) as server:
        course = asyncio.run(_Tenants(stage, server).measured())
    course.bench.judge()
    return _part(course, stage)


class _Tenants:
    def __init__(self, stage: Stage, server: Server) -> None:
        self._stage = stage
        self._small = server.new_key("thumbnails", _CREDIT)
        self._heavy = server.new_key("flood", _CREDIT)
        self._connections = Connections(server.port, 2 * _FLOOD_CLIENTS)
        self._numbers = itertools.count()
        self._course = Course()
        self._server = server

    async def measured(self) -> Course:
        bar = self._stage.progress.add_task("tenants", total=2 * self._stage.sizes.rounds)
        seconds = self._stage.sizes.flood_in_s
        await self._thumbnails(2.0, is_measured=False)
        for _ in range(self._stage.sizes.rounds):
            self._course.quiet.append(await self._thumbnails(seconds))
            self._stage.progress.update(bar, advance=1, description="tenants: quiet")
            async with self._flood():
                await asyncio.sleep(_BUILD_UP_IN_S)
                self._course.flooded.append(await self._thumbnails(seconds))
            self._stage.progress.update(bar, advance=1, description="tenants: flood")
        self._connections.close()
        self._stage.progress.remove_task(bar)
        return self._course

    async def _thumbnails(self, seconds: float, *, is_measured: bool = True) -> list[float]:
        until, took = time.monotonic() + seconds, list[float]()

        async def client() -> None:
            while time.monotonic() < until:
                outcome = await self._one_thumbnail()
                took.append(outcome.whole_wait_in_s)
                if is_measured:
                    self._course.thumbnails[outcome.trouble or "answered"] += 1
                    self._course.thumbnails["returns"] += len(outcome.attempts) - 1
                await asyncio.sleep(_PAUSE_IN_S)

        await asyncio.gather(*(client() for _ in range(_THUMBNAIL_CLIENTS)))
        return took

    async def _one_thumbnail(self) -> Outcome:
        number = next(self._numbers)
        picture = self._stage.small[number % len(self._stage.small)]
        outcome = await insist(
            self._connections, Request(picture, number, _THUMBNAIL, "multipart", self._small), Patience()
        )
        self._course.bench.add(outcome)
        return outcome

    @contextlib.asynccontextmanager
    async def _flood(self) -> AsyncIterator[None]:
        clients = [asyncio.create_task(self._flooding(index)) for index in range(_FLOOD_CLIENTS)]
        try:
            yield
        finally:
            # They hang up; the next quiet begins when the server has noticed.
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
            until = time.monotonic() + _MOST_TO_DRAIN_IN_S
            while self._server.metrics()["imageplane_requests_in_progress"] > 1 and time.monotonic() < until:
                await asyncio.sleep(0.5)
            await asyncio.sleep(_BUILD_UP_IN_S)

    async def _flooding(self, index: int) -> None:
        chance = random.Random(index)  # noqa: S311 - the same flood in every run
        name = tuple(_FLOODS)[index % len(_FLOODS)]
        while True:
            picture = chance.choice(self._stage.large if name == "AVIF" else self._stage.small)
            wish = Wish(name, 0, 0, _FLOODS[name])
            status, told_in_s = await self._ask(Request(picture, next(self._numbers), wish, "multipart", self._heavy))
            self._course.flood[f"{name}: {status}"] += 1
            await asyncio.sleep(told_in_s or 0.0)

    async def _ask(self, request: Request) -> tuple[int, float | None]:
        async with self._connections.turns:
            try:
                reply = await self._connections.exchange(request.message(), Patience().for_a_reply_in_s)
            except (OSError, TimeoutError):
                return 0, 1.0
        told = reply.headers.get("retry-after", "")
        return reply.status, float(told) if told.isdecimal() else None


def _part(course: Course, stage: Stage) -> Part:
    quiet, flooded = (percentiles_in_ms(list(itertools.chain(*rounds))) for rounds in (course.quiet, course.flooded))
    ratio = statistics.median(course.ratios)
    figures = {
        "quiet_in_ms": quiet,
        "flooded_in_ms": flooded,
        "p95_ratio_by_round": [round(each, 2) for each in course.ratios],
        "thumbnails": dict(course.thumbnails),
        "flood": dict(course.flood),
        "flood_clients": _FLOOD_CLIENTS,
        "wrong": dict(course.bench.wrong),
    }
    spread = f"{min(course.ratios):.2f}–{max(course.ratios):.2f}"
    verdict = Verdict(
        f"p95 of small thumbnails in another tenant's flood at most {MOST_TIMES:g}× their quiet p95",
        f"{ratio:.2f}× (median of {len(course.ratios)} rounds, {spread})",
        ratio <= MOST_TIMES,
    )
    lost = {name: count for name, count in course.thumbnails.items() if name not in ("answered", "returns")}
    faults = [f"{count} thumbnails: {name}" for name, count in {**lost, **course.bench.wrong}.items()]
    return Part("tenants", "A small tenant beside a flood", figures, list(_lines(figures, stage)), [verdict], faults)


def _lines(figures: Mapping[str, Any], stage: Stage) -> Iterator[str]:
    yield (
        f"{_THUMBNAIL_CLIENTS} clients ask for 200×200 WebP of small photos, {_PAUSE_IN_S:g} s apart; {_FLOOD_CLIENTS} "
        f"clients of another organization ask for AVIF of large photos, `upscale` by 2 and `remove_background`. "
        f"{stage.sizes.rounds} rounds of {stage.sizes.flood_in_s:g} s each, by turns. Returns count as waiting."
    )
    yield ""
    names = ("p50", "p95", "p99", "most")
    rows = [(title, *(figures[f"{title}_in_ms"].get(name) for name in names)) for title in ("quiet", "flooded")]
    yield from table(("thumbnails, ms", *names), rows)
    yield "Replies to the flood: " + ", ".join(f"{name} × {count}" for name, count in sorted(figures["flood"].items()))
