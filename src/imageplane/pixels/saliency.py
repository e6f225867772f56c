"""What draws the eye in a picture, without a network."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

_SIDE: Final = 64
# Of the long side.
_BLUR: Final = 0.03
_ROUNDS: Final = 2
# Of the width, and of the height.
_CENTER: Final = 0.35


def small_copy(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give all that `saliency_of` needs of (H, W, 3) pixels: (h, w, 3), the long side at most 64.

    Method: means of square blocks; what is left over at two edges is less than a block.
    """
    height, width, _ = pixels.shape
    down, across = (min(length, -(-max(height, width) // _SIDE)) for length in (height, width))
    whole = pixels[height % down // 2 :, width % across // 2 :][: height // down * down, : width // across * across]
    # Adding slices takes a tenth of the time of a mean over axes.
    rows = sum((whole[start::down] for start in range(1, down)), whole[::down].astype(np.uint32))
    sums = sum((rows[:, start::across] for start in range(1, across)), rows[:, ::across])
    return np.asarray((sums + down * across // 2) // (down * across), np.uint8)


def saliency_of(pixels: NDArray[np.uint8]) -> Map:
    """Give what draws the eye in a picture, from 0 to 1; all 0 for a picture of one color.

    Takes: (H, W, 3) RGB of any size. Gives: (h, w), the size of `small_copy`.
    Method: the product of three maps. What is cut off from the border of the picture by a change of color: the minimum
    barrier distance (Zhang et al., Minimum Barrier Salient Object Detection at 80 FPS, 2015), over luma and two
    opponent colors. What is unexpected of its frequencies: the spectral residual (Hou and Zhang, Saliency Detection:
    A Spectral Residual Approach, 2007). The one finds things, the other tells them from large plain parts.
    And a Gaussian around the middle, where photographers aim (Tatler, The Central Fixation Bias, 2007).
    """
    colors = _opponents(small_copy(pixels))
    drawn = _up_to_one(_cut_off(colors)) * _up_to_one(_unexpected(colors[:, :, 0]))
    drawn *= np.outer(*map(_bell, drawn.shape)).astype(np.float32)
    return drawn / (drawn.max() or 1)


def _opponents(pixels: NDArray[np.uint8]) -> Map:
    red, green, blue = np.moveaxis(pixels.astype(np.float32), 2, 0)
    return np.stack(((red + green + blue) / 3, (red - green) / 2, (red + green) / 4 - blue / 2), axis=2)


def _cut_off(colors: Map) -> Map:
    """Give how much a color must at least change on a way from the border to each pixel, summed over the planes.

    Method: the ways are found in sweeps down and up at once, then right and left, a whole row or column at a time.
    """
    own = np.stack((colors, -colors), axis=1)
    ways = np.concatenate((own, np.full_like(own[:, :1], np.inf)), axis=1)
    ways[[0, -1], 2] = ways[:, 2, [0, -1]] = 0
    rows, columns = _both_ways(own), _both_ways(_turned(own))
    for lines in (rows, columns) * _ROUNDS:
        ways = _turned(_swept(ways, lines))
    return np.asarray(ways[:, 2].sum(axis=2), np.float32)


def _turned(values: Map) -> Map:
    return np.ascontiguousarray(values.swapaxes(0, 2))


def _both_ways(lines: Map) -> Map:
    """Give each line with the one beside it that stands in its place from the other end."""
    return np.stack((lines, lines[::-1]), axis=2).reshape(*lines.shape[:2], -1)


def _swept(ways: Map, own: Map) -> Map:
    """Go on from each line to the next, and to the one before, wherever this is the better way.

    Takes: `ways` (lines, 3, …): the highest color on the best way so far, the negative of the lowest, and their sum,
    which is its cost; `own`, both ways, colors and their negatives. Gives: new `ways`.
    """
    lines = _both_ways(ways)
    longer = np.empty_like(lines[0])
    highest, lowest, cost = longer
    is_better = np.empty(cost.shape, np.bool_)
    for before, here, cost_here, colors in zip(lines[:-1, :2], lines[1:], lines[1:, 2], own[1:], strict=True):
        np.maximum(before, colors, out=longer[:2])
        np.add(highest, lowest, out=cost)
        np.less(cost, cost_here, out=is_better)
        np.copyto(here, longer, where=is_better)
    lines = lines.reshape(len(lines), 3, 2, *ways.shape[2:])
    onward, back = lines[:, :, 0], lines[::-1, :, 1]
    return np.where(back[:, 2:] < onward[:, 2:], back, onward)


def _unexpected(luma: Map) -> Map:
    spectrum = np.fft.fft2(luma)
    around = np.log(np.abs(spectrum) + 1e-6)
    for axis in (0, 1):
        around = (np.roll(around, -1, axis) + around + np.roll(around, 1, axis)) / 3
    # exp(log amplitude − its mean around + i · phase) is this.
    energy = np.abs(np.fft.ifft2(spectrum * np.exp(-around))) ** 2
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
