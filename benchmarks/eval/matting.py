"""remove_background against the mask of its network as it is, on pictures whose alpha is known."""

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from benchmarks.eval.croppers import MODELS
from benchmarks.eval.cutouts import Known, drawn, moved
from benchmarks.eval.report import Report
from benchmarks.eval.truth import read
from benchmarks.run import COLUMNS
from imageplane.models import ModelOptions, Models

_PHOTOS = 24
_OURS, _PLAIN = "Imageplane", "mask stretched, colors as they are"
_SEEN_THROUGH = (0.02, 0.98)
_CHECKS_IN_PX = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Fidelity:
    """How near a cut-out comes to the right one.

    Takes: `error`, mean absolute error of alpha; `edge_error`, the same where the right alpha is neither 0 nor 1;
    `gradient`, mean absolute error of the gradient of alpha; `halo`, mean absolute error of the picture on white and
    on black there. All in percent: less is nearer.
    """

    error: float
    edge_error: float
    gradient: float
    halo: float

    @classmethod
    def of(cls, cut: NDArray[np.float32], known: Known) -> "Fidelity":
        """Measure (H, W, 4) straight alpha, 0 to 1. Method: errors of Rhemann et al. 2009, as means."""
        alpha = cut[:, :, 3]
        away = np.abs(alpha - known.alpha)
        edge = (known.alpha > _SEEN_THROUGH[0]) & (known.alpha < _SEEN_THROUGH[1])
        steep = [np.hypot(*np.gradient(each)) for each in (alpha, known.alpha)]
        grounds = [np.abs(_on(cut[:, :, :3], alpha, gray) - _on(known.colors, known.alpha, gray)) for gray in (0, 1)]
        return cls(
            error=100 * float(away.mean()),
            edge_error=100 * float(away[edge].mean()),
            gradient=100 * float(np.abs(steep[0] - steep[1]).mean()),
            halo=100 * float(np.mean([each[edge].mean() for each in grounds])),
        )


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, write the report and the page with the pictures, and print."""
    models = Models(ModelOptions(MODELS))
    if any(card.name.startswith("u2net") for card in models.missing()):
        raise SystemExit("There are no weights to measure: imageplane models pull fetches them.")
    photos = [each for each in read(options.photos) if each.half == "B"][:_PHOTOS]
    found: list[tuple[Known, str, Fidelity]] = []
    folder = options.pages / "matting"
    folder.mkdir(parents=True, exist_ok=True)
    with Progress(*COLUMNS, console=console) as progress:
        bar = progress.add_task("matting", total=2 * len(photos))
        for known in (*drawn(photos), *moved(photos, models.matting)):
            cuts = {_OURS: models.matting.cut_out(known.pixels), _PLAIN: _stretched(models, known.pixels)}
            for name, cut in cuts.items():
                found.append((known, name, Fidelity.of((cut / 255).astype(np.float32), known)))
            _save(known, cuts, folder)
            progress.update(bar, advance=1, description=f"matting: {known.name}")
        progress.update(bar, completed=2 * len(photos))
    page = _write_page(found, options.pages)
    raw = [
        {"picture": known.name, "kind": known.kind, "contender": name, **dataclasses.asdict(fidelity)}
        for known, name, fidelity in found
    ]
    report = Report("eval-matting", "What remove_background cuts out", list(_lines(found)), {"pictures": raw})
    path = report.write(options.results)
    report.show(console)
    console.print(f"All figures are in {path}, the pictures side by side in {page}.")


def _stretched(models: Models, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    mask = Image.fromarray(np.rint(models.matting._mask(pixels) * 255).astype(np.uint8))
    alpha = np.asarray(mask.resize((pixels.shape[1], pixels.shape[0]), Image.Resampling.BILINEAR))
    return np.dstack((pixels, alpha))


def _on(colors: NDArray[np.float32], alpha: NDArray[np.float32], gray: float) -> NDArray[np.float32]:
    return np.asarray(alpha[:, :, None] * colors + (1 - alpha[:, :, None]) * gray, np.float32)


def _lines(found: Sequence[tuple[Known, str, Fidelity]]) -> Iterator[str]:
    yield "There are no reference masks in the shared corpus, so pictures are put together whose alpha is known:"
    yield "shapes with hair, holes and soft edges drawn over photos out of focus, and what Imageplane itself cuts out"
    yield "of photos in front of other ones (which leans to its own way). Errors in percent, less is nearer: of alpha;"
    yield "of alpha at edges; of the gradient of alpha; of colors on white and black at edges."
    yield from ("", "| | | pictures | alpha | edges | gradient | halo |", "|---|---|---|---|---|---|---|")
    for kind in ("drawn", "photo"):
        for name in (_OURS, _PLAIN):
            cells = [each for known, contender, each in found if known.kind == kind and contender == name]
            if cells:
                figures = [
                    f"{fmean(getattr(each, field.name) for each in cells):.2f}"
                    for field in dataclasses.fields(Fidelity)
                ]
                yield f"| {kind} | {name} | {len(cells)} | {' | '.join(figures)} |"


def _save(known: Known, cuts: dict[str, NDArray[np.uint8]], folder: Path) -> None:
    Image.fromarray(known.pixels).save(folder / f"{known.kind}-{known.name}-picture.jpg", quality=88)
    right = np.dstack((known.colors, known.alpha))
    shown = {"right": np.rint(right * 255).astype(np.uint8), "ours": cuts[_OURS], "plain": cuts[_PLAIN]}
    for name, cut in shown.items():
        rows, columns = np.indices(known.alpha.shape) // _CHECKS_IN_PX
        checks = np.where((rows + columns) % 2, 0.85, 0.55)[:, :, None]
        ratios = cut.astype(np.float32) / 255
        on_checks = ratios[:, :, 3:] * ratios[:, :, :3] + (1 - ratios[:, :, 3:]) * checks
        path = folder / f"{known.kind}-{known.name}-{name}.jpg"
        Image.fromarray(np.rint(on_checks * 255).astype(np.uint8)).save(path, quality=88)


def _write_page(found: Sequence[tuple[Known, str, Fidelity]], folder: Path) -> Path:
    lines = ["<!doctype html><meta charset=utf-8><title>remove_background</title>"]
    lines += ["<style>body{font:13px system-ui;margin:24px} img{width:330px;margin:0 8px 8px 0}</style>"]
    lines += ["<p>The picture, the right cut-out, Imageplane's, the stretched mask.</p>"]
    for known, name, fidelity in found:
        if name == _OURS:
            lines += [f"<h2>{known.kind} {known.name}: alpha {fidelity.error:.2f} %, halo {fidelity.halo:.2f} %</h2>"]
            lines += [
                f'<img loading=lazy src="matting/{known.kind}-{known.name}-{part}.jpg">'
                for part in ("picture", "right", "ours", "plain")
            ]
    page = folder / "matting.html"
    page.write_text("\n".join(lines) + "\n")
    return page
