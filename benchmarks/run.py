"""Measure Imageplane against its peers: `python -m benchmarks.run --help`."""

import argparse
import contextlib
import datetime
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pyvips
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks import machine
from benchmarks.contender import Contender
from benchmarks.figures import Figures
from benchmarks.goals import verdicts
from benchmarks.jobs import JOBS, Job
from benchmarks.measure import Cell, Course
from benchmarks.peers import OURS, PEERS
from benchmarks.photos import DEFAULT_FOLDER, Photo, find, make_missing
from benchmarks.report import Run

RESULTS = Path(__file__).parent / "results"
COLUMNS = (
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
    TextColumn("{task.description}"),
)


def main() -> None:
    """Read the command line, measure, write and print."""
    options = _options()
    console = Console()
    pyvips.cache_set_max(0)
    jobs = [JOBS[name] for name in options.jobs]
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        photos = find(options.photos)
        names = [job.name for job in jobs]
        photos += make_missing(photos, scratch, progressive="J1P" in names, large_png="J7" in names)
        skipped = {name: reason for name in options.peers if (reason := PEERS[name].missing())}
        for name, reason in skipped.items():
            console.print(f"[yellow]{PEERS[name].label} is skipped: {reason}")
        running = {name: stack.enter_context(Contender(PEERS[name])) for name in options.peers if name not in skipped}
        # The source may change while this runs; what is measured is what the contenders have loaded by now.
        commit, before = machine.commit(), machine.describe()
        course = Course(running, options.rounds, scratch, tell=console.print)
        figures = Figures(_measured(jobs, photos, course, console))
        run = Run(
            date=datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d"),
            commit=commit,
            rounds=options.rounds,
            machine=before,
            load_after=[round(load, 2) for load in psutil.getloadavg()],
            versions={name: each.versions for name, each in running.items()} | {"here": machine.package_versions()},
            skipped=skipped,
            peak_rss_in_mib={name: each.peak_rss_in_mib for name, each in running.items()},
            figures=figures,
            verdicts=list(verdicts(figures, photos)),
        )
    page = run.write(options.results)
    console.print(Markdown(page.read_text().partition("## Milliseconds")[0]))
    console.print(f"The rest is in {page}, all raw figures in {page.with_suffix('.json').name} beside it.")


def _measured(jobs: Sequence[Job], photos: Sequence[Photo], course: Course, console: Console) -> list[Cell]:
    work = [(job, taken) for job in jobs if (taken := [photo for photo in photos if job.takes(photo)])]
    cells: list[Cell] = []
    with Progress(*COLUMNS, console=console) as progress:
        bar = progress.add_task("starting", total=sum(course.steps(job, taken) for job, taken in work))
        telling = replace(course, tell=lambda text: progress.update(bar, advance=1, description=text))
        for job, taken in work:
            cells += telling.measure(job, taken)
    return cells


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--photos", type=folder, default=DEFAULT_FOLDER, help="folder of photos")
    parser.add_argument("--rounds", type=int, default=5, help="measured rounds after the warm-up (5)")
    parser.add_argument("--jobs", type=names_of(JOBS), default=list(JOBS), help=f"some of {','.join(JOBS)}")
    parser.add_argument("--peers", type=names_of(PEERS), default=list(PEERS), help=f"some of {','.join(PEERS)}")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    options = parser.parse_args()
    if not options.photos.is_dir():
        parser.error("there is no folder of photos to measure on; name one with --photos")
    if options.rounds < 1:
        parser.error("at least one round is needed")
    # Everything is measured against this one.
    options.peers = [OURS, *(name for name in options.peers if name != OURS)]
    return options


def folder(text: str) -> Path:
    """Read a folder that exists from the command line."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return path


def names_of(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    """Give what reads known names with commas between them from the command line."""

    def read(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(known)}, not {','.join(unknown)!r}")
        return names

    return read


if __name__ == "__main__":
    main()
