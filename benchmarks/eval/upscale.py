"""upscale against interpolation: photos made small, and made large again."""

import argparse
import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from benchmarks.eval.croppers import MODELS
from benchmarks.eval.likeness import Likeness
from benchmarks.eval.report import Report
from benchmarks.eval.truth import Photo, read
from benchmarks.run import COLUMNS
from imageplane.deadline import Deadline
from imageplane.models import ModelOptions, Models
from imageplane.models.super_resolution import Factor

Pixels = NDArray[np.uint8]

# Divisible by every factor; photos are first made smaller than they came, because what they came with is noise.
_SIDE_IN_PX = 384
_FIRST_MADE_SMALLER = 1.5
_PHOTOS = 16
_JPEG_QUALITY = 80
_OURS = "Imageplane"
_FACTORS: tuple[Factor, ...] = get_args(Factor)


@dataclasses.dataclass(frozen=True, slots=True)
class _Restored:
    """One picture made large again by one contender."""

    photo: str
    factor: int
    is_jpeg: bool
    contender: str
    pixels: Pixels
    likeness: Likeness


def run(options: argparse.Namespace, console: Console) -> None:
    """Measure, write the report and the page with the pictures, and print."""
    models = Models(ModelOptions(MODELS))
    if any(card.name.startswith("realesr") for card in models.missing()):
        raise SystemExit("There are no weights to measure: imageplane models pull fetches them.")
    rights = dict(_held_back(read(options.photos)))
    contenders: dict[str, Callable[[Pixels, Factor], Pixels]] = {
        "Lanczos": lambda small, factor: _resized(small, factor, Image.Resampling.LANCZOS),
        "bicubic": lambda small, factor: _resized(small, factor, Image.Resampling.BICUBIC),
        _OURS: lambda small, factor: models.super_resolution.enlarge(small, factor, Deadline()),
    }
    restored: list[_Restored] = []
    with Progress(*COLUMNS, console=console) as progress:
        bar = progress.add_task("upscale", total=len(rights) * len(_FACTORS) * 2)
        for name, right in rights.items():
            for factor in _FACTORS:
                for is_jpeg in (False, True):
                    small = _made_small(right, factor, is_jpeg=is_jpeg)
                    for contender, enlarge in contenders.items():
                        pixels = enlarge(small, factor)
                        likeness = Likeness.of(pixels, right)
                        restored.append(_Restored(name, factor, is_jpeg, contender, pixels, likeness))
                    progress.update(bar, advance=1, description=f"upscale: {name}")
    page = _write_page(rights, restored, options.pages)
    report = Report("eval-upscale", "What upscale restores", list(_lines(restored)), _raw(restored))
    path = report.write(options.results)
    report.show(console)
    console.print(f"All figures are in {path}, the pictures side by side in {page}.")


def _held_back(photos: Sequence[Photo]) -> Iterator[tuple[str, Pixels]]:
    """Give squares of photos of half B around their subjects, at most so many, the largest photos first."""
    able = [each for each in photos if each.half == "B" and min(each.size) >= _SIDE_IN_PX * _FIRST_MADE_SMALLER]
    for photo in sorted(able, key=lambda each: -each.size.pixels)[:_PHOTOS]:
        with Image.open(photo.path) as opened:
            image = opened.convert("RGB")
        shrink = max(_FIRST_MADE_SMALLER, min(2.0, min(photo.size) / _SIDE_IN_PX))
        size = round(photo.size.width / shrink), round(photo.size.height / shrink)
        box = photo.primary[0]
        left = round((box.left + box.right) / 2 / shrink - _SIDE_IN_PX / 2)
        top = round((box.top + box.bottom) / 2 / shrink - _SIDE_IN_PX / 2)
        left, top = min(max(left, 0), size[0] - _SIDE_IN_PX), min(max(top, 0), size[1] - _SIDE_IN_PX)
        pixels = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        yield photo.name, pixels[top : top + _SIDE_IN_PX, left : left + _SIDE_IN_PX]


def _made_small(pixels: Pixels, factor: int, *, is_jpeg: bool) -> Pixels:
    side = _SIDE_IN_PX // factor
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
    if is_jpeg:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=_JPEG_QUALITY)
        image = Image.open(file).convert("RGB")
    return np.asarray(image)


def _resized(pixels: Pixels, factor: int, kernel: Image.Resampling) -> Pixels:
    height, width, _ = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((width * factor, height * factor), kernel))


def _lines(restored: Sequence[_Restored]) -> Iterator[str]:
    yield f"{len({each.photo for each in restored})} photos, {_SIDE_IN_PX}×{_SIDE_IN_PX} around the subject, made small"
    yield "with Lanczos and large again. PSNR and SSIM of luma: more is nearer to the photo. GMSD: less is. Detail: the"
    yield "energy of gradients, 1 as in the photo. Texture: how far from it block by block, in octaves; less is nearer."
    for is_jpeg in (False, True):
        yield from ("", f"## Small pictures {f'saved as JPEG {_JPEG_QUALITY}' if is_jpeg else 'as they are'}", "")
        yield from ("| | | PSNR | SSIM | GMSD | detail | texture |", "|---|---|---|---|---|---|---|")
        for factor in _FACTORS:
            for contender in dict.fromkeys(each.contender for each in restored):
                cells = [
                    each.likeness
                    for each in restored
                    if (each.factor, each.is_jpeg, each.contender) == (factor, is_jpeg, contender)
                ]
                yield (
                    f"| {factor}× | {contender} | {fmean(each.psnr for each in cells):.2f} "
                    f"| {fmean(each.ssim for each in cells):.4f} | {fmean(each.gmsd for each in cells):.4f} "
                    f"| {fmean(each.detail for each in cells):.2f} | {fmean(each.texture for each in cells):.2f} |"
                )


def _raw(restored: Sequence[_Restored]) -> dict[str, object]:
    return {
        "pictures": [
            {"photo": each.photo, "factor": each.factor, "is_jpeg": each.is_jpeg, "contender": each.contender}
            | {name: round(value, 4) for name, value in dataclasses.asdict(each.likeness).items()}
            for each in restored
        ]
    }


def _write_page(rights: dict[str, Pixels], restored: Sequence[_Restored], folder: Path) -> Path:
    (folder / "upscale").mkdir(parents=True, exist_ok=True)
    lines = ["<!doctype html><meta charset=utf-8><title>upscale</title>"]
    lines += ["<style>body{font:13px system-ui;margin:24px} figure{display:inline-block;margin:0 8px 16px 0}</style>"]
    for photo, right in rights.items():
        shown = [("photo", right)]
        shown += [
            (f"{each.contender} {each.factor}×{', JPEG' if each.is_jpeg else ''}", each.pixels)
            for each in restored
            if each.photo == photo and each.contender != "bicubic"
        ]
        lines += [f"<h2>{photo}</h2>"]
        for number, (label, pixels) in enumerate(shown):
            name = f"upscale/{Path(photo).stem}-{number}.png"
            Image.fromarray(pixels).save(folder / name)
            lines += [f'<figure><img loading=lazy src="{name}"><figcaption>{label}</figcaption></figure>']
    page = folder / "upscale.html"
    page.write_text("\n".join(lines) + "\n")
    return page
