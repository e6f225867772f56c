"""A library of thousands through `imageplane bulk run`, killed and resumed, and its pace: `--help` tells more."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from benchmarks import machine
from benchmarks.bulk import pace, resuming
from benchmarks.bulk.command import OUTPUTS, Bulk
from benchmarks.bulk.library import library_of
from benchmarks.load.report import Load
from benchmarks.load.stage import default_folders
from benchmarks.photos import find
from benchmarks.run import COLUMNS, RESULTS, folder, names_of

PARTS = ("resuming", "pace")


@dataclass(frozen=True, slots=True)
class BulkLoad(Load):
    """The page of it."""

    def page(self, date: str) -> Iterator[str]:
        """Give the lines of the page."""
        for line in Load.page(self, date):
            yield line.removesuffix(" Clients share the machine with the server.")


def main() -> None:
    """Read the command line, run, write and print; the exit code is 1 when anything was lost or made twice."""
    options = _options()
    console = Console()
    commit, before = machine.commit(), machine.describe()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        outputs = scratch / "outputs.json"
        outputs.write_text(json.dumps(OUTPUTS))
        library = _library(options, console)
        parts = []
        if "resuming" in options.only:
            console.print("A run is killed and resumed")
            parts.append(resuming.part(Bulk(library, scratch / "resumed", outputs), options.images))
        if "pace" in options.only:
            console.print("The pace is taken")
            parts.append(pace.part(library, outputs, scratch, options.rounds))
    here = before | {"load_average_after": machine.describe()["load_average"]}
    load = BulkLoad("bulk", "A library at once", commit, here, {"images": options.images}, parts)
    page = load.write(options.results)
    console.print(Markdown(page.read_text()))
    console.print(f"Written to {page} and {page.with_suffix('.json').name} beside it.")
    sys.exit(1 if load.faults else 0)


def _library(options: argparse.Namespace, console: Console) -> Path:
    photos = [photo.path for each in options.photos for photo in find(each)]
    # Only what libvips reads alone; the engines read the rest otherwise.
    photos = [path for path in photos if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}]
    with Progress(*COLUMNS, console=console) as progress:
        bar = progress.add_task("images are made", total=options.images)
        return library_of(photos, options.images, lambda: progress.advance(bar))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--photos", type=folder, action="append", help="folders of photos that images are made of")
    parser.add_argument("--images", type=int, default=5000, help="how many (5000)")
    parser.add_argument("--rounds", type=int, default=5, help="parts of the library in which the pace is taken (5)")
    parser.add_argument(
        "--only", type=names_of(dict.fromkeys(PARTS)), default=list(PARTS), help=f"some of {','.join(PARTS)}"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    options = parser.parse_args()
    options.photos = options.photos or default_folders()
    if not options.photos:
        parser.error("there is no folder of photos; name one with --photos")
    return options


if __name__ == "__main__":
    main()
