"""Thousands of requests at once, two tenants, a race with peers and a soak: `python -m benchmarks.load --help`."""

import argparse
import dataclasses
import resource
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from benchmarks import machine
from benchmarks.load import race, rival_spikes, soak, spike, tenants
from benchmarks.load.report import Load
from benchmarks.load.stage import Part, Sizes, Stage, default_folders, set_up
from benchmarks.run import COLUMNS, RESULTS, folder, names_of

PARTS: Final = ("spike", "tenants", "throughput", "scaling", "peers", "soak")
_RACES: Final = ("throughput", "scaling", "peers")


def main() -> None:
    """Read the command line, load, write and print; the exit code is 1 when anything was lost, wrong or mischarged."""
    options = _options()
    console = Console()
    sizes = Sizes(**{field.name: getattr(options, field.name) for field in dataclasses.fields(Sizes)})
    _allow_files(2 * sizes.connections + 1000)
    commit, before = machine.commit(), machine.describe()
    with Progress(*COLUMNS, console=console) as progress, set_up(options.photos, progress, sizes) as stage:
        parts = list(_parts(stage, options.only))
    here = before | {"load_average_after": machine.describe()["load_average"]}
    load = Load("load", "Under load", commit, here, dataclasses.asdict(sizes), parts)
    page = load.write(options.results)
    console.print(Markdown(page.read_text()))
    console.print(f"Written to {page} and {page.with_suffix('.json').name} beside it.")
    sys.exit(1 if load.faults else 0)


def _parts(stage: Stage, only: Sequence[str]) -> Iterator[Part]:
    if "spike" in only:
        yield spike.run(stage)
    if "tenants" in only:
        yield tenants.run(stage)
    if races := [name for name in _RACES if name in only]:
        yield race.run(stage, races)
    if "peers" in only:
        yield rival_spikes.run(stage)
    if "soak" in only:
        yield soak.run(stage)


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count), hard), hard))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    usual = Sizes()
    folders = "folders of photos, those of cameras first"
    parser.add_argument("--photos", type=folder, action="append", help=folders)
    parser.add_argument(
        "--only", type=names_of(dict.fromkeys(PARTS)), default=list(PARTS), help=f"some of {','.join(PARTS)}"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    told = {
        "requests": "of the spike",
        "connections": "of the spike at a time",
        "rounds": "of the race and of floods",
        "lap_in_s": "of each contender in a round of the race",
        "flood_in_s": "of another tenant's work in a round",
        "peer_requests": "of the spikes of peers",
        "peer_patience_in_s": "of clients in the spikes of peers",
        "soak": "requests of the soak",
    }
    for name, words in told.items():
        value = getattr(usual, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, help=f"{words} ({value:g})")
    options = parser.parse_args()
    options.photos = options.photos or default_folders()
    if not options.photos:
        parser.error("there is no folder of photos; name one with --photos")
    return options


if __name__ == "__main__":
    main()
