"""Uploads of every format, made by code: what a worker meets between the large photos."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 90 60">'
    '<rect width="90" height="60" fill="#26a"/><circle cx="41" cy="29" r="21" fill="#fd3"/>'
    '<path d="M3 57 L33 11 L61 57 Z" fill="#183"/></svg>'
)
# Format, options of the saver, bands, and the sides between which its pictures are made.
_KINDS: tuple[tuple[str, dict[str, Any], int, tuple[int, int]], ...] = (
    (".jpg", {"Q": 88}, 3, (300, 3200)),
    (".jpg", {"Q": 80, "interlace": True}, 3, (300, 3200)),
    (".jpg", {"Q": 85}, 1, (300, 1600)),
    (".png", {"compression": 3}, 3, (200, 1600)),
    (".png", {"compression": 3}, 4, (200, 1600)),
    (".webp", {"Q": 80, "effort": 1}, 3, (300, 2000)),
    (".webp", {"Q": 80, "effort": 1}, 4, (200, 1200)),
    (".tif", {}, 3, (200, 1200)),
    (".gif", {"effort": 1}, 3, (100, 500)),
    (".avif", {"Q": 60, "effort": 0}, 3, (300, 1200)),
)
PER_KIND = 4


@dataclass(frozen=True, slots=True)
class Upload:
    """A name to show and a file."""

    name: str
    path: Path
    is_made: bool = True


def made(folder: Path) -> Iterator[Upload]:
    """Write pictures of every format in awkward sizes."""
    chance = random.Random(473)  # noqa: S311 - the same pictures in every run
    for index, (suffix, options, bands, (least, most)) in enumerate(_KINDS * PER_KIND):
        width, height = chance.randint(least, most), chance.randint(least, most)
        path = folder / f"made_{index:02}_{width}x{height}x{bands}{suffix}"
        _picture(width, height, bands).write_to_file(str(path), **options)
        yield Upload(path.name, path)
    for index in range(PER_KIND):
        path = folder / f"made_{index}.svg"
        path.write_text(_SVG.format(w=chance.randint(90, 900), h=chance.randint(60, 600)))
        yield Upload(path.name, path)


def _picture(width: int, height: int, bands: int) -> pyvips.Image:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [127 + 90 * np.sin(x / (7 + 11 * band) + y / 31) * np.cos(y / (13 + 5 * band)) for band in range(bands)]
    noise = np.random.default_rng(121).normal(0, 6, (height, width, 1))
    pixels = np.clip(np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)
    image = pyvips.Image.new_from_array(pixels)
    return image.copy(interpretation="b-w" if bands == 1 else "srgb")
