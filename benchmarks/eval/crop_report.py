"""What a run over crops found, as tables and as plain values."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.eval.crop_figures import CropFigures, Result
from benchmarks.eval.croppers import OURS
from benchmarks.eval.report import Report
from benchmarks.eval.truth import SHAPES

_COLUMNS = ("photo", "shape", "contender", "left", "top", "width", "height", "kept", "faces_lost", "faces")


def crop_report(
    figures: CropFigures, moved: CropFigures, labels: Mapping[str, str], skipped: Mapping[str, str]
) -> Report:
    """Give the report.

    Takes: `figures` of the photos, `moved` of the same photos cut at random; `labels` of the contenders; `skipped`,
    who is not here, and why.
    """
    lines = [
        *(f"* {verdict}" for verdict in figures.verdicts()),
        *(f"* skipped: {name}: {why}" for name, why in skipped.items()),
        "",
        "Share of the primary subjects that is kept, in percent of what the best window of the shape keeps; in",
        "parentheses the two halves of the photos, told apart by the hash of their names. Faces: cut or lost, though",
        "some window keeps as many whole. Controls: percent kept more than by the center, where it is fine.",
        "",
        "## Photos",
        "",
        *_table(figures, labels),
        "",
        "## The same photos cut at random: subjects elsewhere, often at the edge",
        "",
        *_table(moved, labels),
    ]
    raw = {
        "skipped": skipped,
        "verdicts": [dataclasses.asdict(each) for each in figures.verdicts()],
        "columns": _COLUMNS,
        "photos": [_row(each) for results in figures.results.values() for each in results],
        "cut_at_random": [_row(each) for each in moved.results.get(OURS, ())],
    }
    return Report("eval-crop", "What smart_crop keeps", lines, raw)


def _table(figures: CropFigures, labels: Mapping[str, str]) -> Iterator[str]:
    yield "| | " + " | ".join(SHAPES) + " | faces | controls |"
    yield "|---" * (len(SHAPES) + 3) + "|"
    for name in figures.results:
        shares = [
            f"{100 * figures.share(name, shape):.1f} "
            f"({100 * figures.share(name, shape, 'A'):.1f}, {100 * figures.share(name, shape, 'B'):.1f})"
            for shape in SHAPES
        ]
        lost, faces = figures.faces(name)
        more = [figures.over_center(name, shape) for shape in SHAPES]
        over = " / ".join("–" if each is None else f"{100 * each:+.1f}" for each in more)
        yield f"| {labels[name]} | {' | '.join(shares)} | {lost} of {faces} | {over} |"


def _row(result: Result) -> list[Any]:
    kept = result.kept
    window = dataclasses.astuple(result.window)
    return [
        result.photo.name,
        result.shape,
        result.contender,
        *window,
        round(kept.share, 4),
        kept.faces_lost,
        kept.faces,
    ]
