"""What everything costs, and how many machines much of it needs: `python -m benchmarks.scaling --help`."""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from benchmarks import machine
from benchmarks.load.stage import Part, default_folders
from benchmarks.run import COLUMNS, RESULTS, folder, names_of
from benchmarks.scaling import capacity, doors, earlier, engines, limiter, row, scenes, sqlite_log, tables, whole
from benchmarks.scaling.earlier import Pieced
from benchmarks.scaling.postgres import Watched, running
from benchmarks.scaling.work import photos_of_phones

Step = Callable[[str], None]

_ON_PHOTOS: Final = ("engines", "doors", "whole")
_ON_POSTGRESQL: Final = ("postgresql", "row")
MEASURED: Final = (*_ON_PHOTOS, *_ON_POSTGRESQL, "sqlite", "redis")
RECKONED: Final = ("model", "simulation")
PARTS: Final = (*MEASURED, *RECKONED)


def main() -> None:
    """Read the command line, measure, reckon, write and print."""
    options, console = _options(), Console()
    commit, before = machine.commit(), machine.describe()
    known = earlier.read(options.earlier)
    parts, commits = list(known.parts), dict(known.commits)
    with Progress(*COLUMNS, console=console) as progress, contextlib.ExitStack() as stack:
        # The path of a socket may have only about 100 characters.
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scaling", ignore_cleanup_errors=True)))
        bar = progress.add_task("starting", total=None)

        def step(what: str) -> None:
            progress.update(bar, advance=1, description=what)

        for part in _measured(options, scratch, step):
            parts, commits = earlier.merged(parts, [part], PARTS), commits | {part.name: commit}
        for name in (name for name in RECKONED if name in options.only):
            figures = {part.name: part.figures for part in parts}
            part = capacity.part(figures) if name == "model" else scenes.part(figures, step)
            parts, commits = earlier.merged(parts, [part], PARTS), commits | {part.name: commit}
    here = before | {"load_average_after": machine.describe()["load_average"]}
    if known.machine and not set(MEASURED) & set(options.only):
        # What was not measured now was measured under the load of then.
        here = dict(known.machine)
    load = Pieced("scaling", "What everything costs", commit, here, {"parts": options.only}, parts, commits)
    page = load.write(options.results)
    console.print(Markdown(page.read_text()))
    console.print(f"Written to {page} and {page.with_suffix('.json').name} beside it.")
    sys.exit(1 if load.faults else 0)


def _measured(options: argparse.Namespace, scratch: Path, step: Step) -> Iterator[Part]:
    only = options.only
    if set(_ON_PHOTOS) & set(only):
        photos = photos_of_phones(options.photos)
        if "engines" in only:
            yield engines.part(photos, step)
        if "doors" in only:
            yield doors.part(photos, scratch, step)
        if "whole" in only:
            yield whole.part(photos, scratch, step)
    if wanted := [name for name in _ON_POSTGRESQL if name in only]:
        yield from _on_postgresql(wanted, scratch, step)
    if "sqlite" in only:
        yield sqlite_log.part(scratch, step)
    if "redis" in only:
        yield limiter.part(scratch, step)


def _on_postgresql(wanted: Sequence[str], scratch: Path, step: Step) -> Iterator[Part]:
    parts: dict[str, Callable[[Watched, Path, Step], Part]] = {"postgresql": tables.part, "row": row.part}
    try:
        with running() as watched:
            for name in wanted:
                yield parts[name](watched, scratch, step)
    except pytest.skip.Exception as missing:
        for name in wanted:
            yield Part(name, f"{name}: skipped", {"skipped": str(missing)}, [f"**Skipped**: {missing}."])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--photos", type=folder, help="folder of photos of about 12 megapixels")
    parser.add_argument(
        "--only", type=names_of(dict.fromkeys(PARTS)), default=list(PARTS), help=f"some of {','.join(PARTS)}"
    )
    parser.add_argument(
        "--earlier", type=earlier.result, help="the .json of an earlier run, from which all other parts are taken"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    options = parser.parse_args()
    options.photos = options.photos or next(iter(default_folders()), None)
    if set(_ON_PHOTOS) & set(options.only):
        if options.photos is None:
            parser.error("there is no folder of photos; name one with --photos")
        if not photos_of_phones(options.photos):
            parser.error(f"there is no JPEG of 11.5 to 14.5 megapixels in {str(options.photos)!r}")
    return options


if __name__ == "__main__":
    main()
