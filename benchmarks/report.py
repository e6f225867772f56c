"""A run as two files: all figures for machines, and tables for people."""

import dataclasses
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import GROUPS, Figures
from benchmarks.goals import Verdict
from benchmarks.jobs import JOBS
from benchmarks.peers import OURS, PEERS

_GROUPS = tuple(GROUPS)


@dataclass(frozen=True, slots=True)
class Run:
    """Everything of one run.

    Takes: `skipped`, peers that are not here and how to get them; `machine` before and `load_after`.
    """

    date: str
    commit: str
    rounds: int
    machine: Mapping[str, Any]
    load_after: Sequence[float]
    versions: Mapping[str, Mapping[str, str]]
    skipped: Mapping[str, str]
    peak_rss_in_mib: Mapping[str, float]
    figures: Figures
    verdicts: Sequence[Verdict]

    @property
    def name(self) -> str:
        return f"{self.date}-{self.commit}"

    def write(self, folder: Path) -> Path:
        """Write both files. Gives: the one for people."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.json").write_text(_json(self.raw()))
        page = folder / f"{self.name}.md"
        page.write_text("\n".join(self.page()) + "\n")
        return page

    def raw(self) -> dict[str, Any]:
        """Give everything as plain values; photos by name only."""
        return {
            "date": self.date,
            "commit": self.commit,
            "rounds": self.rounds,
            "machine": {**self.machine, "load_average_after": list(self.load_after)},
            "versions": self.versions,
            "skipped": self.skipped,
            "peak_rss_in_mib": self.peak_rss_in_mib,
            "verdicts": [dataclasses.asdict(verdict) for verdict in self.verdicts],
            "cells": [_raw_cell(cell) for cell in self.figures.cells.values()],
        }

    def page(self) -> Iterator[str]:
        """Give the lines of the page."""
        yield f"# Benchmark of {self.date}, commit {self.commit}"
        yield from ("", *_about(self), "", "## Goals", "")
        for verdict in self.verdicts:
            yield f"- **{'met' if verdict.is_met else 'NOT MET'}** {verdict.wanted}: {verdict.measured}"
        yield from ("", "## How many times the CPU of Imageplane a contender takes", "")
        yield "Above 1: Imageplane takes less. Median over photos of the median over rounds, quartiles over photos."
        for group in _GROUPS:
            yield from _table(self.figures, group, f"### On {group}", _lead)
        yield from ("", "## Milliseconds of CPU a photo, median (compare within a row only)")
        for group in _GROUPS[:2]:
            yield from _table(self.figures, group, f"### On {group}", _cpu)
        yield from ("", "## Likeness to the reference, SSIM of luma / RGB, median")
        yield from _table(self.figures, "all photos", "", _ssim, with_own=False)
        yield from ("", "## Beside Sharp: difference in SSIM of luma / RGB, times the bytes; medians", "")
        yield "The WebP files of vipsthumbnail carry metadata, which its version can't leave out."
        for group in _GROUPS[:2]:
            yield from _table(self.figures, group, f"### On {group}", _beside_sharp, with_own=False)
        yield from _by_photo(self.figures)
        yield from _refusals(self.figures)


def _about(run: Run) -> Iterator[str]:
    machine = run.machine
    yield (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_in_gib']} GiB, {machine['distribution']}, "
        f"{machine['system']}, Python {machine['python']}; load average {machine['load_average']} before and "
        f"{list(run.load_after)} after. {run.rounds} rounds after one warm-up."
    )
    yield ""
    for name, versions in run.versions.items():
        peak = run.peak_rss_in_mib.get(name)
        text = ", ".join(f"{part} {version}" for part, version in versions.items())
        label = PEERS[name].label if name in PEERS else name
        yield f"- {label}: {text}" + (f"; its process peaked at {peak:.0f} MiB" if peak else "")
    for name, reason in run.skipped.items():
        yield f"- {PEERS[name].label}: **skipped**, {reason}"


def _table(figures: Figures, group: str, title: str, cell: Any, *, with_own: bool = True) -> Iterator[str]:
    jobs = [job for job in JOBS if figures.photos(job, group) and (with_own or not JOBS[job].is_own)]
    peers = [peer for peer in PEERS if any(cell(figures, job, group, peer) for job in jobs)]
    if not peers:
        return
    yield from ("", title, "") if title else ("",)
    yield f"| job | photos | {' | '.join(PEERS[peer].label for peer in peers)} |"
    yield f"|---|---|{'---|' * len(peers)}"
    for job in jobs:
        row = " | ".join(cell(figures, job, group, peer) or "n/a" for peer in peers)
        yield f"| {job}: {JOBS[job].title} | {len(figures.photos(job, group))} | {row} |"


def _lead(figures: Figures, job: str, group: str, peer: str) -> str | None:
    lead = figures.lead(job, group, peer) if peer != OURS else None
    if lead is None:
        return None
    return f"{lead}" + ("" if lead.count == len(figures.photos(job, group)) else f", {lead.count} photos")


def _cpu(figures: Figures, job: str, group: str, peer: str) -> str | None:
    spent = figures.cpu(job, group, peer)
    return f"{spent.median:.0f}" if spent else None


def _ssim(figures: Figures, job: str, group: str, peer: str) -> str | None:
    luma, rgb = (figures.ssim(job, group, peer, of) for of in ("luma", "rgb"))
    return f"{luma.median:.4f} / {rgb.median:.4f}" if luma and rgb else None


def _beside_sharp(figures: Figures, job: str, group: str, peer: str) -> str | None:
    size = figures.size_ratio(job, group, peer) if peer != "sharp" else None
    luma, rgb = (figures.ssim_gains(job, group, peer, of) for of in ("luma", "rgb"))
    if size is None or not luma:
        return None
    return f"{statistics.median(luma.values()):+.4f} / {statistics.median(rgb.values()):+.4f}, ×{size.median:.3f}"


def _by_photo(figures: Figures) -> Iterator[str]:
    photos = {cell.photo.name: cell.photo for cell in figures.cells.values()}
    jobs = [job for job in JOBS if "sharp" in figures.peers(job)]
    if not jobs:
        return
    yield from ("", "## Each photo against Sharp: CPU lead, difference of luma SSIM", "")
    yield f"| photo | kind | megapixels | {' | '.join(jobs)} |"
    yield f"|---|---|---|{'---|' * len(jobs)}"
    for photo in photos.values():
        row = [_against_sharp(figures, job, photo) for job in jobs]
        yield f"| {photo.name} | {photo.kind} | {photo.megapixels} | {' | '.join(row)} |"


def _against_sharp(figures: Figures, job: str, photo: Any) -> str:
    lead = figures.lead_on(job, photo, "sharp")
    ours, theirs = figures.cell(job, photo, OURS), figures.cell(job, photo, "sharp")
    if lead is None or ours is None or theirs is None:
        return "–"
    gain = (ours.ssim("luma") or 0) - (theirs.ssim("luma") or 0)
    return f"{lead:.2f}, {gain:+.4f}"


def _refusals(figures: Figures) -> Iterator[str]:
    refusals = figures.refusals()
    if refusals:
        yield from ("", "## What a contender could not do", "")
    for peer, reasons in refusals.items():
        for reason, names in reasons.items():
            yield f"- {PEERS[peer].label}: {reason}: {', '.join(names)}"


def _json(raw: dict[str, Any]) -> str:
    """Give one line a cell, so that two runs can be compared line by line."""
    cells = ",\n".join(json.dumps(cell, ensure_ascii=False) for cell in raw.pop("cells"))
    head = json.dumps(raw, indent=1, ensure_ascii=False)
    return f'{head.removesuffix("}").rstrip()},\n "cells": [\n{cells}\n]}}\n'


def _raw_cell(cell: Any) -> dict[str, Any]:
    return {
        "job": cell.job,
        "photo": cell.photo.name,
        "kind": cell.photo.kind,
        "megapixels": cell.photo.megapixels,
        "is_made": cell.photo.is_made,
        "peer": cell.peer,
        "cpu_in_ms": cell.cpu_in_ms,
        "wall_in_ms": [round(wall, 3) for wall in cell.wall_in_ms],
        "sizes_in_bytes": list(cell.sizes_in_bytes),
        "ssim": [dataclasses.asdict(quality) for quality in cell.qualities],
        "refused": cell.refused,
    }
