"""A soak as two files: all figures for machines, and tables for people."""

import dataclasses
import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.allocators import ENGINE

if TYPE_CHECKING:
    from benchmarks.soak import Soaked

MOST_PEAK_IN_MB = 300
TOGETHER = "one worker for all photos, job after job"
_MB_IN_A_MIB = 1.048576


@dataclass(frozen=True, slots=True)
class Soak:
    """Everything of one soak. Takes: `peaks_in_mib`, by photo and job."""

    date: str
    commit: str
    machine: Mapping[str, Any]
    soaked: "Sequence[Soaked]"
    peaks_in_mib: Mapping[str, Mapping[str, float]]
    skipped: Mapping[str, str]

    @classmethod
    def of(
        cls,
        commit: str,
        soaked: "Sequence[Soaked]",
        peaks: Mapping[str, Mapping[str, float]],
        skipped: Mapping[str, str],
    ) -> "Soak":
        """Give a soak of now and here."""
        today = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d")
        return cls(today, commit, machine.describe(), soaked, peaks, skipped)

    def write(self, folder: Path) -> Path:
        """Write both files. Gives: the one for people."""
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / f"{self.date}-{self.commit}-soak.md"
        page.write_text("\n".join(self.page()) + "\n")
        raw = dataclasses.asdict(self) | {"versions": machine.package_versions()}
        page.with_suffix(".json").write_text(json.dumps(raw, ensure_ascii=False) + "\n")
        return page

    def page(self) -> Iterator[str]:
        """Give the lines of the page."""
        yield f"# Memory of a worker, {self.date}, commit {self.commit}"
        here = self.machine
        yield from ("", f"{here['cpu']}, {here['cores']} cores, {here['distribution']}, Python {here['python']}.", "")
        yield from (f"- {label}: **skipped**, {reason}" for label, reason in self.skipped.items())
        yield from self._goals()
        yield from self._flatness()
        yield from self._peaks()

    def _goals(self) -> Iterator[str]:
        yield from ("## Goals", "")
        for each in self.soaked:
            if each.allocator != ENGINE:
                continue
            verdict = "met" if each.is_flat else "NOT MET"
            measured = f"last quarter {each.growth:.2f} × the second, at most 1.1"
            yield f"- **{verdict}** flat over {each.count} mixed transforms: {measured}"
        for job, peak in self.peaks_in_mib.get(TOGETHER, {}).items():
            peak_in_mb = peak * _MB_IN_A_MIB
            verdict = "met" if peak_in_mb < MOST_PEAK_IN_MB else "NOT MET"
            yield f"- **{verdict}** peak below {MOST_PEAK_IN_MB} MB, {TOGETHER}, after {job}: {peak_in_mb:.0f} MB"

    def _flatness(self) -> Iterator[str]:
        if not self.soaked:
            return
        yield from ("", "## Mixed transforms in one worker: mean resident set by quarter, MiB", "")
        yield "| allocator | transforms | 1st | 2nd | 3rd | 4th | 4th to 2nd | peak | CPU ms | refused | processes |"
        yield "|---|---|---|---|---|---|---|---|---|---|---|"
        for each in self.soaked:
            quarters = " | ".join(f"{quarter:.0f}" for quarter in each.quarters_in_mib)
            yield (
                f"| {each.label} | {each.count} | {quarters} | {each.growth:.2f} | {each.peak_in_mib:.0f} | "
                f"{each.cpu_in_s / each.count * 1000:.0f} | "
                f"{sum(each.refused.values())} | {each.engines} |"
            )
        yield ""
        for reason, times in self.soaked[0].refused.items():
            yield f"- refused {times} times, {reason}"

    def _peaks(self) -> Iterator[str]:
        if not self.peaks_in_mib:
            return
        jobs = list(next(iter(self.peaks_in_mib.values())))
        yield from ("", "## Peak resident set of a fresh worker, MiB", "", f"| photo | {' | '.join(jobs)} |")
        yield f"|---|{'---|' * len(jobs)}"
        for name, row in self.peaks_in_mib.items():
            yield f"| {name} | {' | '.join(f'{row[job]:.0f}' for job in jobs)} |"
