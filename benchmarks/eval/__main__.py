"""Are the pictures right? `python -m benchmarks.eval --help`."""

import argparse
from pathlib import Path

import pyvips
from rich.console import Console

from benchmarks.eval import crop, matting, upscale
from benchmarks.eval.truth import DEFAULT_FOLDER
from benchmarks.peers import ROOT
from benchmarks.run import RESULTS, folder

_PAGES = ROOT / "build" / "eval"
_RUNS = {"crop": crop.run, "upscale": upscale.run, "matting": matting.run}


def main() -> None:
    """Read the command line and measure what it names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eval", description=__doc__)
    parser.add_argument("what", nargs="?", choices=_RUNS, default="crop", help="what is measured (crop)")
    parser.add_argument("--photos", type=folder, default=DEFAULT_FOLDER, help="photos with a ground_truth.json")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the tables are written")
    parser.add_argument("--pages", type=Path, default=_PAGES, help="where the pages with pictures are written")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="without smartcrop and thumbor")
    options = parser.parse_args()
    if not options.photos.is_dir():
        parser.error("there are no photos to measure on; name a folder with --photos")
    pyvips.cache_set_max(0)
    _RUNS[options.what](options, Console())


if __name__ == "__main__":
    main()
