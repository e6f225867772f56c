"""The race: the same work through HTTP, in process and through other servers, by turns in one run."""

import asyncio
import contextlib
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from PIL import Image

from benchmarks.goals import Verdict
from benchmarks.jobs import JOBS
from benchmarks.load.pictures import Picture
from benchmarks.load.racers import Lap, Racer, in_process, ours, rival
from benchmarks.load.rivals import RIVALS
from benchmarks.load.server import serving
from benchmarks.load.stage import Part, Stage, percentiles_in_ms, table

CLIENTS: Final = (2, 4, 8)
LEAST_OF_IN_PROCESS: Final = 0.85
LEAST_SCALING: Final = 1.8
_MEGAPIXELS: Final = 12.0
_CREDIT: Final = 100_000_000
_JOBS: Final = ("J1", "J2")
_HTTP, _HTTP_ALONE, _ENGINES, _ENGINES_ALONE = "http", "http_1", "in_process", "in_process_1"
# Who races for which part of the load.
_GROUPS: Final = {
    "throughput": (_HTTP, _ENGINES),
    "scaling": (_HTTP, _HTTP_ALONE, _ENGINES, _ENGINES_ALONE),
    "peers": (_HTTP, *RIVALS),
}
_Key = tuple[str, int, str]


@dataclass(slots=True)
class Race:
    """Laps by job, number of clients and racer; those of one round stand at one place."""

    picture: str
    labels: dict[str, str] = field(default_factory=dict)
    laps: dict[_Key, list[Lap]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def best(self, job: str, racer: str) -> list[float]:
        """Give by round the best rate of a racer, with whatever number of clients it likes best."""
        found = [[lap.rate for lap in laps] for (of, _, who), laps in self.laps.items() if (of, who) == (job, racer)]
        return [max(rates) for rates in zip(*found, strict=True)]

    def ratios(self, job: str, one: str, other: str) -> list[float]:
        """Give by round how many times the rate of another a racer has."""
        return [a / b for a, b in zip(self.best(job, one), self.best(job, other), strict=True) if b]


def run(stage: Stage, groups: Sequence[str]) -> Part:
    """Have everyone of these groups race."""
    names = list(dict.fromkeys(name for group in groups for name in _GROUPS[group]))
    picture = _photo(stage)
    race = Race(picture.name)
    with contextlib.ExitStack() as stack:
        racers = list(_racers(stage, picture, names, race, stack))
        asyncio.run(_race(stage, racers, race))
    faults = [f"{key}: {fault}" for key, laps in race.laps.items() for lap in laps for fault in lap.faults]
    title = f"The race: {picture.name}, every time as different bytes"
    return Part("race", title, _figures(race), list(_lines(race)), list(_verdicts(race)), faults)


def _photo(stage: Stage) -> Picture:
    found = {}
    for picture in stage.large:
        if picture.path.suffix.lower() in (".jpg", ".jpeg"):
            with Image.open(picture.path) as image:
                if not image.info.get("progressive"):
                    found[abs(image.width * image.height / 1e6 - _MEGAPIXELS)] = picture
    return found[min(found)] if found else stage.large[0]


def _racers(
    stage: Stage, picture: Picture, names: Sequence[str], race: Race, stack: contextlib.ExitStack
) -> Iterator[Racer]:
    for name, count in ((_HTTP, 2), (_HTTP_ALONE, 1), (_ENGINES, 2), (_ENGINES_ALONE, 1)):
        engines = "1 engine" if count == 1 else f"{count} engines"
        if name in names and name in (_HTTP, _HTTP_ALONE):
            server = stack.enter_context(serving(stage.folder(name), {"ENGINE__COUNT": str(count)}))
            label = f"Imageplane over HTTP, {engines}"
            racer: Racer = ours(server, server.new_key("race", _CREDIT), picture, label, name)
            environment = dict(server.environment)
        elif name in names:
            racer = stack.enter_context(in_process(name, f"in process, {engines}", count, picture, environment))
        else:
            continue
        race.labels[name] = racer.label
        yield racer
    for name in names:
        if name in RIVALS:
            missing, start = RIVALS[name]
            reason = missing()
            if reason:
                race.skipped[name] = reason
                stage.progress.console.print(f"[yellow]{name} is skipped: {reason}")
                continue
            found = stack.enter_context(start(stage.folder(name), stage.picture_server))
            race.labels[name], race.versions = found.label, race.versions | found.versions
            yield rival(found, picture)


async def _race(stage: Stage, racers: Sequence[Racer], race: Race) -> None:
    chance = random.Random(473)  # noqa: S311 - the same order in every run
    jobs = {name: JOBS[name].wanted[0] for name in _JOBS}
    bar = stage.progress.add_task("race", total=stage.sizes.rounds * len(jobs) * len(CLIENTS) * len(racers))
    for job, wanted in jobs.items():
        for racer in racers:
            await racer.lap(wanted, 2, 1.0)
        for _ in range(stage.sizes.rounds):
            for clients in CLIENTS:
                for racer in chance.sample(racers, len(racers)):
                    lap = await racer.lap(wanted, clients, stage.sizes.lap_in_s)
                    race.laps.setdefault((job, clients, racer.name), []).append(lap)
                    stage.progress.update(bar, advance=1, description=f"race: {job}, {racer.label}: {lap.rate:.1f}/s")
    stage.progress.remove_task(bar)


def _verdicts(race: Race) -> Iterator[Verdict]:
    wants = (
        (_HTTP, _ENGINES, "throughput through HTTP to that of the engines in process", LEAST_OF_IN_PROCESS),
        (_HTTP, _HTTP_ALONE, "2 engines to 1, through HTTP", LEAST_SCALING),
        *((_HTTP, name, f"throughput to that of {race.labels.get(name, name)}", 1.0) for name in RIVALS),
    )
    for job in _JOBS:
        for one, other, words, least in wants:
            ratios = race.ratios(job, one, other) if {one, other} <= set(race.labels) else []
            if ratios:
                ratio = statistics.median(ratios)
                measured = f"{ratio:.2f}× (median of {len(ratios)} rounds, {min(ratios):.2f}–{max(ratios):.2f})"
                yield Verdict(f"{words}, {JOBS[job].title}: at least {least:g}×", measured, ratio >= least)


def _figures(race: Race) -> dict[str, Any]:
    return {
        "photo": race.picture,
        "racers": race.labels,
        "skipped": race.skipped,
        "versions": race.versions,
        "laps": [
            {
                "job": job,
                "clients": clients,
                "racer": racer,
                "rates": [round(lap.rate, 2) for lap in laps],
                **_summary(laps),
            }
            for (job, clients, racer), laps in race.laps.items()
        ],
    }


def _summary(laps: Sequence[Lap]) -> Mapping[str, Any]:
    def middle(values: Iterator[float]) -> float:
        return round(statistics.median(values), 2)

    return {
        "rate": middle(lap.rate for lap in laps),
        "took_in_ms": percentiles_in_ms([took for lap in laps for took in lap.times_in_s]),
        "cpu_ms_a_picture": middle(lap.per_picture_in_ms(lap.cpu_in_s) for lap in laps),
        "client_cpu_ms_a_picture": middle(lap.per_picture_in_ms(lap.client_cpu_in_s) for lap in laps),
    }


def _lines(race: Race) -> Iterator[str]:
    yield (
        "Pictures a second, median over the rounds; p50 and p95 of a picture; CPU ms a picture of all processes of the "
        "server, and of the clients, who share the machine. Closed loop: each client waits for its picture. Imageplane "
        "takes multipart and gives the image, Sharp takes the file as the body, thumbor fetches it from the server of "
        "pictures; nobody keeps results."
    )
    yield from ("", *(f"- {name}: **skipped**, {reason}" for name, reason in race.skipped.items()), "")
    head = ("", "clients", "a second", "p50 ms", "p95 ms", "CPU ms", "of clients")
    for job in _JOBS:
        rows = []
        for (of, clients, racer), laps in race.laps.items():
            if of == job:
                found = _summary(laps)
                took = found["took_in_ms"]
                cpu = (found["cpu_ms_a_picture"], found["client_cpu_ms_a_picture"])
                rows.append((race.labels[racer], clients, found["rate"], took.get("p50"), took.get("p95"), *cpu))
        yield from (f"### {JOBS[job].title}", "", *table(head, sorted(rows, key=lambda row: (row[0], row[1]))))
