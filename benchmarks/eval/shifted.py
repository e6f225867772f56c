"""The same photos cut at random, so that their subjects stand elsewhere."""

import dataclasses
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pyvips

from benchmarks.eval.keeping import Bound, center
from benchmarks.eval.truth import SHAPES, Drawn, Photo
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Size

_CUTS = 3
_TRIES = 200
_LEAST = 0.5
_FINE = 0.99


def shifted(photos: list[Photo], folder: Path) -> Iterator[Photo]:
    """Give cuts of the photos, mirrored or not, that show all of their primary subjects. Writes them to a folder."""
    for photo in photos:
        chance = random.Random(hashlib.sha256(photo.name.encode()).digest())  # noqa: S311 - the same cuts every time
        for number in range(_CUTS):
            window = _window(photo, chance)
            if window is not None:
                yield _cut(photo, window, folder / f"{photo.path.stem}-{number}.png", mirror=chance.random() < 0.5)


def _window(photo: Photo, chance: random.Random) -> Window | None:
    left, top = min(box.left for box in photo.primary), min(box.top for box in photo.primary)
    right, bottom = max(box.right for box in photo.primary), max(box.bottom for box in photo.primary)
    for _ in range(_TRIES):
        width = round(photo.size.width * chance.uniform(_LEAST, 1))
        height = round(photo.size.height * chance.uniform(_LEAST, 1))
        x, y = chance.randint(0, photo.size.width - width), chance.randint(0, photo.size.height - height)
        if x <= left and y <= top and x + width >= right and y + height >= bottom:
            return Window(x, y, width, height)
    return None


def _cut(photo: Photo, window: Window, path: Path, *, mirror: bool) -> Photo:
    image = pyvips.Image.new_from_file(str(photo.path)).crop(
        window.left_in_px, window.top_in_px, window.width_in_px, window.height_in_px
    )
    (image.fliphor() if mirror else image).write_to_file(str(path), compression=1)
    size = Size(window.width_in_px, window.height_in_px)
    boxes = tuple(moved for box in photo.boxes if (moved := _moved(box, window, mirror=mirror)))
    cut = Photo(path, size, photo.category, boxes, is_control=False, parent=photo.parent)
    return dataclasses.replace(cut, is_control=all(_loses_nothing(cut, shape) for shape in SHAPES.values()))


def _moved(box: Drawn, window: Window, *, mirror: bool) -> Drawn | None:
    left, right = (max(0, min(window.width_in_px, x - window.left_in_px)) for x in (box.left, box.right))
    top, bottom = (max(0, min(window.height_in_px, y - window.top_in_px)) for y in (box.top, box.bottom))
    if mirror:
        left, right = window.width_in_px - right, window.width_in_px - left
    if right <= left or bottom <= top:
        return None
    return dataclasses.replace(box, left=left, top=top, right=right, bottom=bottom)


def _loses_nothing(photo: Photo, shape: Size) -> bool:
    return Bound.of(photo, shape).judge(photo, center(photo.size, shape)).share >= _FINE
