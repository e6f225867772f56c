"""The page of a storm."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.chaos.settling import Settled
from benchmarks.chaos.storm import Storm
from benchmarks.goals import Verdict
from benchmarks.load.spike_report import MOST_PROBE_IN_MS
from benchmarks.load.stage import Part, percentiles_in_ms, table


def part_of(storm: Storm, settled: Settled, skipped: Mapping[str, str], duration_in_s: float) -> Part:
    """Judge all replies and give the part of the page."""
    storm.bench.evidence = storm.stage.evidence
    judged = storm.bench.judge()
    wrong = [f"{count} wrong replies: {what}" for what, count in storm.bench.wrong.items()]
    lost = [f"{count} × {what}" for what, count in storm.faults.items()]
    figures = {
        "counts": {who: dict(counts) for who, counts in storm.counts.items()},
        "skipped": dict(skipped),
        "judged": judged,
        "wrong": dict(storm.bench.wrong),
        "other_bytes_of_the_same_picture": storm.bench.differing,
        "whole_wait_in_ms": percentiles_in_ms(storm.waits_in_s),
        "books": [dataclasses.asdict(books) for books in settled.books],
        "settled_after_in_s": settled.settled_after_in_s,
        "exit_code": settled.exit_code,
        "health_live": storm.seen.summary(),
        "metrics": settled.metrics,
    }
    verdicts = list(_verdicts(storm, settled, judged))
    title = f"{duration_in_s:g} s of everything at once"
    return Part(
        "chaos", title, figures, list(_lines(storm, settled, skipped)), verdicts, [*wrong, *lost, *settled.faults]
    )


def _verdicts(storm: Storm, settled: Settled, judged: int) -> Iterator[Verdict]:
    wrong, lost = storm.bench.wrong.total(), storm.faults.total()
    yield Verdict("no wrong reply", f"{wrong} wrong of {judged:,} pictures looked at", not wrong)
    yield Verdict(
        "no request lost but those whose own file is at fault, and those are told so",
        f"{lost} of {sum(counts.total() for counts in storm.counts.values()):,} events were not as they have to be",
        not lost,
    )
    paid = ", ".join(f"{books.organization} {books.credits:g} for {books.pictures}" for books in settled.books)
    exact = bool(settled.books) and not any(books.fault for books in settled.books)
    yield Verdict("ledger exact at the end", f"credits paid for pictures seen: {paid}", exact)
    health = storm.seen.summary()
    p99 = health["probe_p99_in_ms"]
    yield Verdict(
        f"/health/live p99 under {MOST_PROBE_IN_MS:g} ms",
        f"p99 {p99 or 0:.0f} ms, most {health['probe_p100_in_ms'] or 0:.0f} ms, {health['failed_probes']} of "
        f"{health['probes']:,} failed",
        p99 is not None and p99 < MOST_PROBE_IN_MS and not health["failed_probes"],
    )
    yield Verdict(
        "the server lives, all engines are there, nothing is left behind",
        f"{settled.engines} engines of {settled.wanted_engines}, {settled.zombies} zombies, exit code "
        f"{settled.exit_code}",
        settled.is_alive and settled.engines == settled.wanted_engines and settled.exit_code == 0,
    )


def _lines(storm: Storm, settled: Settled, skipped: Mapping[str, str]) -> Iterator[str]:
    yield from (f"- {name}: **skipped**, {reason}" for name, reason in skipped.items())
    yield from ("", *table(("who", "what became of it", "times"), list(_rows(storm))))
    waits = ", ".join(f"{name} {value:,.0f} ms" for name, value in percentiles_in_ms(storm.waits_in_s).items())
    yield from (f"Good clients, {len(storm.waits_in_s):,} pictures, the whole wait: {waits}.", "")
    head = ("organization", "pictures seen", "charges", "credits", "left", "left, as the command says it")
    yield from table(head, [tuple(dataclasses.asdict(books).values()) for books in settled.books])
    yield f"The books were exact {settled.settled_after_in_s:g} s after the last request. Engines that died at work:"
    deaths = {
        name: value for name, value in settled.metrics.items() if name.startswith("imageplane_engine_deaths_total")
    }
    yield ", ".join(f"{name.partition('cause=')[2].strip('{}')} {value:g}" for name, value in deaths.items()) or "none"


def _rows(storm: Storm) -> Iterator[tuple[Any, ...]]:
    for who, counts in sorted(storm.counts.items()):
        for what, count in counts.most_common(20):
            yield who, what, count
