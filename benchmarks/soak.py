"""Is the memory of a worker flat, and how high does it rise? `python -m benchmarks.soak --help`."""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyvips
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from benchmarks import machine
from benchmarks.allocators import ENGINE, Allocator, allocators
from benchmarks.mixture import mixture, peak_requests
from benchmarks.photos import DEFAULT_FOLDER, find
from benchmarks.run import COLUMNS, RESULTS, folder, names_of
from benchmarks.soak_report import TOGETHER, Soak
from benchmarks.uploads import Upload, made
from benchmarks.worker import Worker

FLAT_WITHIN = 1.1
_SAMPLES_KEPT = 200


@dataclass(frozen=True, slots=True)
class Soaked:
    """What one worker needed for a mixture.

    Takes: means of the resident set after each transform, by quarter; `refused`, errors by reason; `engines`, how
    many processes it took.
    """

    allocator: str
    label: str
    count: int
    quarters_in_mib: list[float]
    peak_in_mib: float
    cpu_in_s: float
    refused: dict[str, int]
    engines: int
    samples_in_mib: list[float]

    @property
    def growth(self) -> float:
        """The last quarter to the second."""
        return self.quarters_in_mib[3] / self.quarters_in_mib[1]

    @property
    def is_flat(self) -> bool:
        return self.growth <= FLAT_WITHIN and self.engines == 1


def soak(allocator: Allocator, uploads: Sequence[Upload], count: int, progress: Progress) -> Soaked:
    """Do so many mixed transforms in one worker."""
    bar = progress.add_task(allocator.label, total=count)
    samples: list[float] = []
    with Worker(allocator) as worker:
        for upload, request in mixture(uploads, count):
            samples.append(round(worker.do(request, upload.path), 1))
            progress.update(bar, advance=1, description=f"{allocator.label}: {samples[-1]:.0f} MiB, {upload.name}")
        quarter = count // 4
        quarters = [round(statistics.fmean(samples[part * quarter :][:quarter]), 1) for part in range(4)]
        return Soaked(
            allocator=allocator.name,
            label=allocator.label,
            count=count,
            quarters_in_mib=quarters,
            peak_in_mib=round(worker.peak_in_mib, 1),
            cpu_in_s=round(worker.cpu_in_s, 1),
            refused=worker.refused,
            engines=len(worker.ids),
            samples_in_mib=samples[:: max(1, count // _SAMPLES_KEPT)],
        )


def peaks(uploads: Sequence[Upload], progress: Progress) -> dict[str, dict[str, float]]:
    """Give the peak of a fresh worker for every upload and job, in MiB, then of one worker as it does them all."""
    ours, requests = next(iter(allocators())), peak_requests()
    bar = progress.add_task("peaks", total=len(uploads) * (len(requests) + 1))
    found: dict[str, dict[str, float]] = {}
    for upload in uploads:
        row = found.setdefault(upload.name, {})
        for name, request in requests.items():
            progress.update(bar, advance=1, description=f"peak of {name} on {upload.name}")
            with Worker(ours) as worker:
                worker.do(request, upload.path)
                row[name] = round(worker.peak_in_mib, 1)
    together = found.setdefault(TOGETHER, {})
    with Worker(ours) as worker:
        for name, request in requests.items():
            progress.update(bar, advance=len(uploads) / len(requests), description=f"one worker for all, {name}")
            for upload in uploads:
                worker.do(request, upload.path)
            together[name] = round(worker.peak_in_mib, 1)
    return found


def main() -> None:
    """Read the command line, soak, write and print."""
    console, options = Console(), _options()
    pyvips.cache_set_max(0)
    chosen = {each.name: each for each in allocators() if each.name in options.allocators}
    skipped = {each.label: each.missing for each in chosen.values() if each.missing}
    for label, missing in skipped.items():
        console.print(f"[yellow]{label} is skipped: {missing}")
    commit = machine.commit()
    photos = [Upload(photo.name, photo.path, is_made=False) for photo in find(options.photos)]
    with tempfile.TemporaryDirectory() as scratch, Progress(*COLUMNS, console=console) as progress:
        found = peaks(photos, progress) if options.peaks else {}
        uploads = [*made(Path(scratch)), *photos]
        counts = {name: options.count if name == ENGINE else options.others for name in chosen}
        soaked = [soak(each, uploads, counts[name], progress) for name, each in chosen.items() if not each.missing]
    page = Soak.of(commit, soaked, found, skipped).write(options.results)
    console.print(Markdown(page.read_text()))
    console.print(f"Written to {page} and {page.with_suffix('.json').name} beside it.")


def _options() -> argparse.Namespace:
    known = {each.name: each for each in allocators()}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--photos", type=folder, default=DEFAULT_FOLDER, help="folder of photos")
    parser.add_argument("--count", type=int, default=5000, help="how many transforms the engine does (5000)")
    parser.add_argument("--others", type=int, default=1500, help="how many with each other allocator (1500)")
    parser.add_argument("--allocators", type=names_of(known), default=list(known), help=f"some of {','.join(known)}")
    parser.add_argument("--no-peaks", dest="peaks", action="store_false", help="leave out the peak of each photo")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    options = parser.parse_args()
    if not options.photos.is_dir():
        parser.error("there is no folder of photos; name one with --photos")
    if min(options.count, options.others) < 4:
        parser.error("at least 4 transforms are needed, one for each quarter")
    return options


if __name__ == "__main__":
    main()
