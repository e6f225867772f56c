"""What draws the eye in a picture, without a network."""

from typing import Any, Final

import numpy as np
import pyvips
from numpy.typing import NDArray

Map = NDArray[np.float32]

_SIDE: Final = 64
# Of the long side.
_BLUR: Final = 0.03
_ROUNDS: Final = 2
# Of the width, and of the height.
_CENTER: Final = 0.35


def saliency_of(pixels: NDArray[np.uint8]) -> Map:
    """Give what draws the eye in a picture, from 0 to 1; all 0 for a picture of one color.

    Takes: (H, W, 3) RGB of any size. Gives: (h, w), the long side at most 64.
    Method: the product of three maps. What is cut off from the border of the picture by a change of color: the minimum
    barrier distance (Zhang et al., Minimum Barrier Salient Object Detection at 80 FPS, 2015), over luma and two
    opponent colors. What is unexpected of its frequencies: the spectral residual (Hou and Zhang, Saliency Detection:
    A Spectral Residual Approach, 2007). The one finds things, the other tells them from large plain parts.
    And a Gaussian around the middle, where photographers aim (Tatler, The Central Fixation Bias, 2007).
    """
    colors = _opponents(_small(pixels))
    drawn = _up_to_one(_cut_off(colors)) * _up_to_one(_unexpected(colors[:, :, 0]))
    drawn *= np.outer(*map(_bell, drawn.shape)).astype(np.float32)
    return drawn / (drawn.max() or 1)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    scale = _SIDE / max(height, width)
    if scale >= 1:
        return pixels
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
    small: NDArray[np.uint8] = image.resize(
        max(scale, 1 / width), vscale=max(scale, 1 / height), kernel="linear"
    ).numpy()
    return small


def _opponents(pixels: NDArray[np.uint8]) -> Map:
    red, green, blue = np.moveaxis(pixels.astype(np.float32), 2, 0)
    return np.stack(((red + green + blue) / 3, (red - green) / 2, (red + green) / 4 - blue / 2), axis=2)


def _cut_off(colors: Map) -> Map:
    """Give how much a color must at least change on a way from the border to each pixel, summed over the planes.

    Method: the ways are found in sweeps down, right, up and left, each a whole row or column at a time.
    """
    low, high = colors.copy(), colors.copy()
    cost = np.full_like(colors, np.inf)
    cost[[0, -1]] = cost[:, [0, -1]] = 0
    rows, columns = colors.shape[:2]

    def extend(here: Any, before: Any) -> None:
        highest, lowest = np.maximum(high[before], colors[here]), np.minimum(low[before], colors[here])
        changed = highest - lowest
        better = changed < cost[here]
        for plane, value in ((cost, changed), (high, highest), (low, lowest)):
            np.copyto(plane[here], value, where=better)

    for _ in range(_ROUNDS):
        for row in range(1, rows):
            extend(np.s_[row], np.s_[row - 1])
        for column in range(1, columns):
            extend(np.s_[:, column], np.s_[:, column - 1])
        for row in range(rows - 2, -1, -1):
            extend(np.s_[row], np.s_[row + 1])
        for column in range(columns - 2, -1, -1):
            extend(np.s_[:, column], np.s_[:, column + 1])
    return np.asarray(cost.sum(axis=2), np.float32)


def _unexpected(luma: Map) -> Map:
    spectrum = np.fft.fft2(luma)
    amplitude = np.log(np.abs(spectrum) + 1e-6)
    around = [np.roll(amplitude, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    residual = np.exp(amplitude - np.mean(around, axis=0) + 1j * np.angle(spectrum))
    energy = np.abs(np.fft.ifft2(residual)) ** 2
    spread = _BLUR * max(luma.shape)
    rows, columns = luma.shape
    return np.asarray(_blurring(rows, spread) @ energy @ _blurring(columns, spread).T, np.float32)


def _blurring(count: int, spread: float) -> NDArray[np.float64]:
    """Give the matrix that blurs a row of this many values by a Gaussian."""
    places = np.arange(count)
    weights = np.exp(-((places[:, None] - places) ** 2) / (2 * spread**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float64)


def _bell(count: int) -> NDArray[np.float64]:
    places = (np.arange(count) + 0.5) / count - 0.5
    return np.asarray(np.exp(-(places**2) / (2 * _CENTER**2)), np.float64)


def _up_to_one(values: Map) -> Map:
    lowest, highest = float(values.min()), float(values.max())
    return (values - lowest) / (highest - lowest) if highest > lowest else np.zeros_like(values)
