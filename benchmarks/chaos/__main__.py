"""Everything that can go wrong, at once, under load: `python -m benchmarks.chaos --help`."""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from benchmarks import machine
from benchmarks.chaos.disk import SmallDisk
from benchmarks.chaos.evils import EVILS, Evil, Fillings
from benchmarks.chaos.settling import Settled, settle
from benchmarks.chaos.storm import CREDIT, ORGANIZATIONS, Storm
from benchmarks.chaos.storm_report import part_of
from benchmarks.load.observer import observing
from benchmarks.load.report import Load
from benchmarks.load.server import serving
from benchmarks.load.stage import Sizes, Stage, default_folders, set_up
from benchmarks.peers import ROOT
from benchmarks.run import COLUMNS, RESULTS, folder, names_of

_DISK: Final = "disk"
_SETTINGS: Final = {
    # Short, so that what hangs is over soon; long enough for any good picture on a machine that starts engines all day.
    "ENGINE__DEADLINE_IN_S": "10",
    "HTTP__DEADLINE_IN_S": "60",
    "SOURCES__READ_TIMEOUT_IN_S": "2",
    "SOURCES__TOTAL_TIMEOUT_IN_S": "5",
}


def main() -> None:
    """Read the command line, let loose, check and print; the exit code is 1 when anything was lost or wrong."""
    options, console = _options(), Console()
    commit, before = machine.commit(), machine.describe()
    with (
        Progress(*COLUMNS, console=console) as progress,
        set_up(options.photos, progress, Sizes()) as stage,
        # Not beside the stage: a mount on a folder hides what is in it.
        tempfile.TemporaryDirectory() as scratch,
    ):
        storm, settled, skipped = _stormed(stage, Path(scratch), options)
    here = before | {"load_average_after": machine.describe()["load_average"]}
    sizes = {"duration_in_s": options.duration, "clients": options.clients, "evils": options.only}
    load = Load("chaos", "Chaos", commit, here, sizes, [part_of(storm, settled, skipped, options.duration)])
    page = load.write(options.results)
    console.print(Markdown(page.read_text()))
    console.print(f"Written to {page} and {page.with_suffix('.json').name} beside it.")
    sys.exit(1 if load.faults else 0)


def _stormed(stage: Stage, scratch: Path, options: argparse.Namespace) -> tuple[Storm, Settled, dict[str, str]]:
    evils: dict[str, Evil] = {name: EVILS[name] for name in options.only if name in EVILS}
    skipped, disk = {}, SmallDisk(scratch / "data")
    start: Sequence[str] = ()
    within: Sequence[str] = ()
    settings = dict(_SETTINGS)
    if _DISK in options.only:
        if missing := disk.missing():
            skipped[_DISK] = missing
            stage.progress.console.print(f"[yellow]The disk is not filled: {missing}")
        else:
            evils[_DISK], start, within = Fillings(disk), disk.start, disk.within
    planted = Path(__file__).parent / "planted"
    with _environment(PYTHONPATH=f"{planted}{os.pathsep}{ROOT / 'tests'}", TMPDIR=_temporary(disk, evils)):
        with serving(scratch, settings, start=start, within=within) as server:
            storm = Storm(stage, server, {name: server.new_key(name, CREDIT) for name in ORGANIZATIONS})
            asyncio.run(_storm(storm, evils, options))
            settled = settle(storm)
        settled.check_end(server)
    return storm, settled, skipped


async def _storm(storm: Storm, evils: dict[str, Evil], options: argparse.Namespace) -> None:
    await storm.models()
    bar = storm.stage.progress.add_task("chaos", total=options.duration)
    with observing(storm.server.process.pid, storm.server.port) as storm.seen:
        started = time.monotonic()
        storm.until = started + options.duration
        good = [storm.good_client(seed) for seed in range(options.clients)]
        everyone = asyncio.gather(*good, *(evil(storm) for evil in evils.values()))
        while not everyone.done():
            told = ", ".join(f"{count:,} {name}" for name, count in storm.answered.items())
            spent = min(time.monotonic() - started, options.duration)
            words = f"chaos: {told} answered, {storm.faults.total()} faults"
            storm.stage.progress.update(bar, completed=spent, description=words)
            await asyncio.wait({everyone}, timeout=0.5)
        await everyone
    storm.stage.progress.remove_task(bar)


def _temporary(disk: SmallDisk, evils: dict[str, Evil]) -> str:
    """Give the folder for temporary files: on the small disk, so that all of it is full."""
    return str(disk.folder / "tmp") if _DISK in evils else tempfile.gettempdir()


@contextlib.contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    known = dict.fromkeys((*EVILS, _DISK))
    parser.add_argument("--photos", type=folder, action="append", help="folders of photos, those of cameras first")
    parser.add_argument("--duration", type=float, default=300.0, help="seconds (300)")
    parser.add_argument("--clients", type=int, default=12, help="good clients (12)")
    parser.add_argument("--only", type=names_of(known), default=list(known), help=f"some of {','.join(known)}")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    options = parser.parse_args()
    options.photos = options.photos or default_folders()
    if not options.photos:
        parser.error("there is no folder of photos; name one with --photos")
    return options


if __name__ == "__main__":
    main()
