"""smart_crop against its peers, on photos with boxes drawn by eye."""

import argparse
import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.eval.crop_figures import CropFigures, Result
from benchmarks.eval.crop_page import write_page
from benchmarks.eval.crop_report import crop_report
from benchmarks.eval.croppers import MODELS, PACKAGED, Contender, Eye, contenders
from benchmarks.eval.keeping import Bound
from benchmarks.eval.scratch import Scratch
from benchmarks.eval.shifted import shifted
from benchmarks.eval.truth import SHAPES, Photo, read
from benchmarks.run import COLUMNS
from imageplane.models import ModelOptions, Models


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, write the report and the page with the pictures, and print."""
    photos, skipped = read(options.photos), dict[str, str]()
    if not options.peers:
        skipped[PACKAGED] = "not asked for"
    with contextlib.ExitStack() as stack:
        scratch = Scratch.made() if options.peers else None
        if scratch is not None:
            stack.enter_context(scratch)
        elif options.peers:
            skipped[PACKAGED] = "their packages could not be fetched"
        cuts = list(shifted(photos, Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        models = Models(ModelOptions(MODELS))
        eye = Eye(models)
        taking_part = contenders(models, eye, scratch, skipped)
        quick = {name: each for name, each in taking_part.items() if each.is_quick}
        figures = _measured(photos, taking_part, console, "photos")
        moved = _measured(cuts, quick, console, "cut at random")
        page = write_page(figures, eye, options.pages)
    report = crop_report(figures, moved, {name: each.label for name, each in taking_part.items()}, skipped)
    path = report.write(options.results)
    report.show(console)
    console.print(f"All figures are in {path}, the pictures side by side in {page}.")


def _measured(photos: Sequence[Photo], who: Mapping[str, Contender], console: Console, title: str) -> CropFigures:
    results: dict[str, list[Result]] = {name: [] for name in who}
    with Progress(*COLUMNS, console=console) as progress:
        bar = progress.add_task(title, total=len(photos))
        for photo in photos:
            for name, shape in SHAPES.items():
                bound = Bound.of(photo, shape)
                for contender in who.values():
                    window = contender.crop(photo, shape)
                    kept = bound.judge(photo, window)
                    results[contender.name].append(Result(photo, name, contender.name, window, kept))
            progress.update(bar, advance=1, description=f"{title}: {photo.name}")
    return CropFigures(results)
