"""Pictures whose alpha is known, because they are put together here: in the shared corpus there are no masks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.eval.truth import Photo
from imageplane.models.matting import Matting

Pixels = NDArray[np.uint8]

_LONG_SIDE_IN_PX = 700
_TIMES_DRAWN = 4
_BACKGROUND_BLUR_IN_PX = 12
# What was cut out is worth putting elsewhere when it is there, and not all of the picture.
_LEAST_SHARE, _MOST_SHARE = 0.05, 0.7


@dataclass(frozen=True, slots=True)
class Known:
    """A picture put together of a foreground and a background.

    Takes: `kind`, drawn or photo; `pixels` (H, W, 3); `alpha` (H, W) and `colors` (H, W, 3) of the foreground, 0 to 1.
    """

    name: str
    kind: str
    pixels: Pixels
    alpha: NDArray[np.float32]
    colors: NDArray[np.float32]


def drawn(photos: Sequence[Photo]) -> Iterator[Known]:
    """Give shapes with hair, holes and soft edges, drawn over photos out of focus; nothing here was learned."""
    for number, photo in enumerate(photos):
        with Image.open(photo.path) as opened:
            background = _background(opened.convert("RGB"))
        chance = np.random.default_rng(number)
        mask = (_hairy, _ring, _soft)[number % 3](background.size, chance)
        alpha = (np.asarray(mask) / 255).astype(np.float32)
        noise = chance.normal(0, 0.02, (*alpha.shape, 3)).astype(np.float32)
        color = chance.uniform(0.1, 0.9, 3).astype(np.float32)
        yield _put_together(
            f"{('hair', 'ring', 'soft')[number % 3]}-{number}", "drawn", color + noise, alpha, background
        )


def moved(photos: Sequence[Photo], matting: Matting) -> Iterator[Known]:
    """Give what is cut out of photos in front of other ones, out of focus.

    The alpha is exact for the new picture, however it was found; but it leans to the way that it was found in.
    """
    for photo, other in zip(photos, (*photos[1:], photos[0]), strict=True):
        with Image.open(photo.path) as opened, Image.open(other.path) as behind:
            front = _fitted(opened.convert("RGB"))
            background = _background(behind.convert("RGB")).resize(front.size)
        cut = (matting.cut_out(np.asarray(front)) / 255).astype(np.float32)
        if _LEAST_SHARE < float(cut[:, :, 3].mean()) < _MOST_SHARE:
            yield _put_together(Path(photo.name).stem, "photo", cut[:, :, :3], cut[:, :, 3], background)


def _put_together(
    name: str, kind: str, colors: NDArray[np.float32], alpha: NDArray[np.float32], background: Image.Image
) -> Known:
    colors = np.clip(np.broadcast_to(colors, (*alpha.shape, 3)), 0, 1).astype(np.float32)
    behind = np.asarray(background, np.float32) / 255
    mixed = alpha[:, :, None] * colors + (1 - alpha[:, :, None]) * behind
    return Known(name, kind, np.rint(mixed * 255).astype(np.uint8), alpha, colors)


def _fitted(image: Image.Image) -> Image.Image:
    scale = _LONG_SIDE_IN_PX / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def _background(image: Image.Image) -> Image.Image:
    return _fitted(image).filter(ImageFilter.GaussianBlur(_BACKGROUND_BLUR_IN_PX))


def _canvas(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    mask = Image.new("L", (size[0] * _TIMES_DRAWN, size[1] * _TIMES_DRAWN))
    return mask, ImageDraw.Draw(mask)


def _hairy(size: tuple[int, int], chance: np.random.Generator) -> Image.Image:
    """Draw a head and shoulders with loose hair."""
    mask, draw = _canvas(size)
    width, height = mask.size
    x, y, radius = width * 0.5, height * 0.4, min(width, height) * 0.2
    draw.ellipse((x - radius, y - 1.2 * radius, x + radius, y + 1.2 * radius), fill=255)
    draw.rectangle((x - 0.5 * radius, y, x + 0.5 * radius, y + 2 * radius), fill=255)
    draw.ellipse((x - 2.2 * radius, y + 1.2 * radius, x + 2.2 * radius, y + 6 * radius), fill=255)
    for _ in range(260):
        angle, length = chance.uniform(-np.pi, 0), chance.uniform(1.1, 1.8) * radius
        bend = chance.normal(0, 0.25)
        points = [
            (x + length * part * np.cos(angle + bend * part), y + 1.2 * length * part * np.sin(angle + bend * part))
            for part in np.linspace(0.5, 1, 8)
        ]
        draw.line(points, fill=255, width=int(chance.integers(2, 6)))
    return mask.resize(size, Image.Resampling.BOX)


def _ring(size: tuple[int, int], _: np.random.Generator) -> Image.Image:
    """Draw a mug with a hole in its handle."""
    mask, draw = _canvas(size)
    width, height = mask.size
    x, y, side = width * 0.45, height * 0.5, min(width, height) * 0.25
    draw.ellipse((x + 0.4 * side, y - 0.7 * side, x + 1.7 * side, y + 0.7 * side), fill=255)
    draw.ellipse((x + 0.7 * side, y - 0.4 * side, x + 1.4 * side, y + 0.4 * side), fill=0)
    draw.rounded_rectangle((x - side, y - 1.2 * side, x + 0.8 * side, y + 1.2 * side), 0.2 * side, fill=255)
    return mask.resize(size, Image.Resampling.BOX)


def _soft(size: tuple[int, int], _: np.random.Generator) -> Image.Image:
    """Draw a ball, a little out of focus."""
    mask, draw = _canvas(size)
    width, height = mask.size
    radius = min(width, height) * 0.3
    middle = width / 2, height / 2
    draw.ellipse((middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius), fill=255)
    return mask.resize(size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(4))
