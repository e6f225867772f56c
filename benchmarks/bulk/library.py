"""A library of many different images, made of a few photos: crops, sizes, qualities and formats by chance."""

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pyvips

_SEED: Final = 6
_FOLDERS: Final = 25
# As libraries are: mostly JPEG, from small to as large as a phone's.
_SUFFIXES: Final = {"jpg": 88, "webp": 6, "png": 6}
_SIDES_IN_PX: Final = (500, 800, 1200, 1600, 2000, 2600, 3600)


def library_of(photos: Sequence[Path], count: int, tell: Callable[[], None]) -> Path:
    """Give a folder with so many images, made now or by an earlier call.

    Takes: `tell`, called for each.
    """
    folder = Path(tempfile.gettempdir(), f"imageplane-library-{count}")
    done = folder / ".done"
    if not done.exists():
        for number, photo in enumerate(photos):
            # Each photo is decoded once.
            image = pyvips.Image.new_from_file(str(photo)).autorot().colourspace("srgb").copy_memory()
            for index in range(number, count, len(photos)):
                _make(image, folder, index)
                tell()
        done.touch()
    return folder


def _make(image: pyvips.Image, folder: Path, index: int) -> None:
    chance = random.Random(_SEED * 1_000_000 + index)  # noqa: S311 - no secret
    scale = chance.uniform(0.5, 1)
    width, height = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
    side = min(chance.choice(_SIDES_IN_PX), max(width, height))
    small = image.crop(left, top, width, height).thumbnail_image(side, height=side)
    (suffix,) = chance.choices(list(_SUFFIXES), list(_SUFFIXES.values()))
    path = folder / f"{index % _FOLDERS:02}" / f"image {index:05}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    quality = {} if suffix == "png" else {"Q": chance.randint(60, 94)}
    if suffix != "png" and small.hasalpha():
        small = small.flatten()
    small.write_to_file(str(path), strip=True, **quality)
