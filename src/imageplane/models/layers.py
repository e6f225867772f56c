"""A picture as a foreground over a background: alpha as fine as the photo, and the colors of both."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imageplane.models.box_filter import box_mean
from imageplane.models.local_regression import LocalRegression, regress
from imageplane.models.probe import bilinear, enlarged, stretched, to_ratios

# Lengths in pixels of the copy that is learned from, whose long side has 480.
_FINE_RADIUS: Final = 6
_FINE_SMOOTHNESS: Final = 1e-3
# Lengths on a copy half as large, where colors are judged.
_WIDE_RADIUS: Final = 16
_WIDE_SMOOTHNESS: Final = 1e-4
_RIM_RADIUS: Final = 4
_REACH_RADIUS: Final = 2
_ROUNDS: Final = 3
_BELIEF_AT_RIM: Final = 0.1
_NOISE: Final = 0.02
# A regression on yes and no answers stays a little short of both.
_SHYNESS: Final = 0.1

_TILE: Final = 256
_CALM: Final = 2e-3


@dataclass(frozen=True, slots=True)
class Layers:
    """What was learned on a small copy of a picture.

    Takes: `bands` (11, h, w): alpha as a linear function of color (3 slopes, 1 offset) and its upper bound, then the
    foreground color and the background color, all 0 to 1.
    """

    bands: NDArray[np.float32]

    @classmethod
    def of(cls, colors: NDArray[np.float32], mask: NDArray[np.float32]) -> "Layers":
        """Learn from a copy (h, w, 3) and a rough mask (h, w), both 0 to 1.

        Method: a guided filter brings the mask to the edges of the picture. Near the rim, where the mask of a network
        is often too wide, a second one with a wide window judges by color alone: it is fitted again and again while
        places that contradict it lose their say, but inside the mask only such as look like the background around;
        it is heard where it explains its surroundings well.
        """
        fine = regress(colors, mask, _FINE_RADIUS, _FINE_SMOOTHNESS)
        wide, share, reach = _judged_by_color(colors, mask)
        slope = share[..., None] * wide.slope + (1 - share[..., None]) * fine.slope
        offset = share * wide.offset + (1 - share) * fine.offset
        most = share * reach + (1 - share)
        alpha = np.clip((slope * colors).sum(axis=2) + offset, 0, most)
        bands = (slope, offset[..., None], most[..., None], *_two_colors(colors, alpha))
        return cls(np.ascontiguousarray(np.moveaxis(np.concatenate(bands, axis=2, dtype=np.float32), 2, 0)))

    def applied_to(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Give the foreground of the full picture (H, W, 3) as RGB with straight alpha, tile by tile."""
        height, width, _ = pixels.shape
        result = np.zeros((height, width, 4), np.uint8)
        for top, bottom in _spans(height):
            down = bilinear(self.bands.shape[1], height, top, bottom)
            for left, right in _spans(width):
                across = bilinear(self.bands.shape[2], width, left, right)
                place = slice(top, bottom), slice(left, right)
                self._cut(pixels[place], result[place], down, across)
        return result

    def _cut(
        self,
        pixels: NDArray[np.uint8],
        result: NDArray[np.uint8],
        down: tuple[NDArray[np.float32], int],
        across: tuple[NDArray[np.float32], int],
    ) -> None:
        (rows, top), (columns, left) = down, across
        learned = self.bands[:5, top : top + rows.shape[1], left : left + columns.shape[1]]
        if np.abs(learned[:3]).max() < _CALM:
            level = np.minimum(learned[3], learned[4])
            if level.max() < _CALM:
                return
            if level.min() > 1 - _CALM:
                result[..., :3], result[..., 3] = pixels, 255
                return
        bands = stretched(self.bands, down, across)
        colors = to_ratios(np.ascontiguousarray(np.moveaxis(pixels, 2, 0)))
        alpha = np.clip((bands[:3] * colors).sum(axis=0) + bands[3], 0, np.maximum(bands[4], 0))
        result[..., 3] = np.rint(alpha * 255)
        clean = _unmixed(colors, bands[5:8], bands[8:], alpha)
        result[..., :3] = np.moveaxis(np.rint(clean * 255) * (result[..., 3] > 0), 0, 2)


def _spans(length: int) -> Iterator[tuple[int, int]]:
    return ((start, min(length, start + _TILE)) for start in range(0, length, _TILE))


def _judged_by_color(
    colors: NDArray[np.float32], mask: NDArray[np.float32]
) -> tuple[LocalRegression, NDArray[np.float32], NDArray[np.float32]]:
    """Give the model of alpha by color, how far it is to be heard, and the most that alpha may be by it."""
    height, width = mask.shape
    half = max(1, width // 2), max(1, height // 2)
    few, rough = enlarged(colors, *half), enlarged(mask, *half)
    near = box_mean((rough > 0.5).astype(np.float32), _RIM_RADIUS)
    is_rim = (near > 0.02) & (near < 0.98)
    belief = np.where(rough > 0.5, _strangeness(few, near < 0.02), np.float32(1))
    weights = np.where(is_rim, np.float32(_BELIEF_AT_RIM), belief)
    for _ in range(_ROUNDS):
        model = regress(few, rough, _WIDE_RADIUS, _WIDE_SMOOTHNESS, weights)
        agreement = 1 - np.abs(np.clip(model.values(few), 0, 1) - rough)
        weights = np.where(is_rim, _BELIEF_AT_RIM * agreement**2, np.where(rough > 0.5, belief, agreement**2))
    around = box_mean(box_mean(rough, _RIM_RADIUS), _RIM_RADIUS)
    share = _ramp(model.trust, 0.5, 0.75) * _ramp(around, 0.03, 0.13) * _ramp(1 - around, 0.03, 0.13)
    reach = np.clip(2.5 * box_mean(rough, _REACH_RADIUS), 0, 1)
    bands = np.concatenate(
        (model.slope, model.offset[..., None] - _SHYNESS, model.trust[..., None], share[..., None], reach[..., None]), 2
    )
    bands[..., :4] /= 1 - 2 * _SHYNESS
    full = enlarged(bands, width, height)
    return LocalRegression(full[..., :3], full[..., 3], full[..., 4]), full[..., 5], full[..., 6]


def _strangeness(colors: NDArray[np.float32], ground: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give how far each color, from 0 to 1, is none of the background around it."""
    known = ground.astype(np.float32)[..., None]
    sums = box_mean(np.concatenate((colors * known, colors * colors * known, known), axis=2), _WIDE_RADIUS)
    share = sums[..., 6:]
    mean = sums[..., :3] / (share + np.float32(1e-6))
    variance = np.maximum(sums[..., 3:6] / (share + np.float32(1e-6)) - mean * mean, 0)
    distance = ((colors - mean) ** 2 / (variance + np.float32(_NOISE**2))).sum(axis=2)
    likeness: NDArray[np.float32] = np.exp(-distance / 6) * np.minimum(1, 20 * share[..., 0])
    return 1 - likeness


def _ramp(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    ramp: NDArray[np.float32] = np.clip((values - low) / (high - low), 0, 1)
    return ramp


def _two_colors(
    colors: NDArray[np.float32], alpha: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the foreground and the background color of each place.

    Method: blur fusion (Forte 2021): means of what is known nearby, wide first and then narrow.
    """
    part, rest = alpha[..., None], 1 - alpha[..., None]
    foreground, background = _blurred(colors, part, 22), _blurred(colors, rest, 22)
    foreground = _unmixed(colors, foreground, background, part)
    return _blurred(foreground, part, 3), _blurred(background, rest, 3)


def _blurred(colors: NDArray[np.float32], weights: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    sums = box_mean(np.concatenate((colors * weights, weights), axis=2), radius)
    means: NDArray[np.float32] = sums[..., :3] / (sums[..., 3:] + np.float32(1e-5))
    return means


def _unmixed(
    colors: NDArray[np.float32],
    foreground: NDArray[np.float32],
    background: NDArray[np.float32],
    alpha: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Give the foreground of colors that are a mixture, near what is known of it."""
    leftover = colors - alpha * foreground - (1 - alpha) * background
    clean: NDArray[np.float32] = np.clip(foreground + alpha * leftover, 0, 1)
    return clean
