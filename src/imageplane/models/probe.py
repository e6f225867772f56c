"""Pictures made ready for a network: scaled to the size it likes."""

from typing import Final

import numpy as np
import pyvips
from numpy.typing import NDArray

STEP: Final = 32
_AREA: Final = 352 * 352
_MOST_STEPS: Final = 32


def probe_size(width: int, height: int, area: int = _AREA) -> tuple[int, int]:
    """Give the width and height of the small copy of a picture that detectors look at.

    Method: about `area` pixels in nearly the shape of the picture, in whole steps of 32, the coarsest grid of the
    networks: then nothing need be padded. Extreme shapes keep one step on the short side, and 32 on the long one.
    """
    scale = (area / (width * height)) ** 0.5
    return _rounded(width * scale), _rounded(height * scale)


def as_probe(pixels: NDArray[np.uint8], area: int = _AREA) -> NDArray[np.uint8]:
    """Give (H, W, 3) pixels in the size of a probe; such as have it already are not touched."""
    height, width, _ = pixels.shape
    if width % STEP == 0 and height % STEP == 0 and width * height <= 1.5 * area:
        return pixels
    return scaled(pixels, *probe_size(width, height, area))


def _rounded(length: float) -> int:
    return STEP * max(1, min(_MOST_STEPS, round(length / STEP)))


def scaled(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Stretch (H, W, C) pixels to this size. Method: libvips `resize`, linear, which shrinks by boxes first."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return pixels_of(pyvips.Image.new_from_array(np.ascontiguousarray(pixels)), width, height)


def pixels_of(image: pyvips.Image, width: int, height: int) -> NDArray[np.uint8]:
    """Give the pixels of a picture, stretched to this size. Method: as `scaled`."""
    small = image.resize(width / image.width, vscale=height / image.height, kernel="linear")
    if (small.width, small.height) != (width, height):
        small = small.embed(0, 0, width, height, extend="copy")
    pixels: NDArray[np.uint8] = small.numpy()
    return pixels


def to_ratios(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give pixels as numbers from 0 to 1."""
    ratios = pixels.astype(np.float32)
    ratios /= 255
    return ratios


def enlarged(values: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Stretch (h, w) or (h, w, C) values to this size. Method: bilinear between the centers of the old pixels."""
    down, across = bilinear(values.shape[0], height), bilinear(values.shape[1], width)
    if values.ndim == 2:
        return stretched(values, down, across)
    return np.ascontiguousarray(np.moveaxis(stretched(np.moveaxis(values, 2, 0), down, across), 0, 2))


def bilinear(old: int, new: int, first: int = 0, last: int | None = None) -> tuple[NDArray[np.float32], int]:
    """Give what each of `old` places adds to the new places from `first` to `last`, out of `new` in all.

    Gives: weights (last − first, n), and the first of the n old places that add anything.
    """
    place = (np.arange(first, new if last is None else last, dtype=np.float64) + 0.5) * old / new - 0.5
    place = np.clip(place, 0, old - 1)
    start, stop = int(place[0]), min(old, int(place[-1]) + 2)
    weights = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(start, stop)))
    return weights.astype(np.float32), start


def stretched(
    planes: NDArray[np.float32],
    down: tuple[NDArray[np.float32], int],
    across: tuple[NDArray[np.float32], int],
) -> NDArray[np.float32]:
    """Give (…, h, w) values at new rows and columns, each as weights of `bilinear`."""
    (rows, top), (columns, left) = down, across
    part = planes[..., top : top + rows.shape[1], left : left + columns.shape[1]]
    new: NDArray[np.float32] = np.matmul(np.matmul(rows, part), columns.T)
    return new
