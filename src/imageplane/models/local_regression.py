"""Values that follow the colors of a picture: a small linear model around every place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imageplane.models.box_filter import box_mean

_LITTLE = np.float32(1e-6)
# What a window that saw only one kind of value counts for: next to nothing, but something where all are such.
_LEAST_SAY = np.float32(1e-5)


@dataclass(frozen=True, slots=True)
class LocalRegression:
    """At each place, how a value follows from the color there: `value = slope · color + offset`.

    Takes: `slope` (h, w, 3); `offset` (h, w); `trust` (h, w), which share of the differences in the window, from 0 to
    1, the color explains.
    """

    slope: NDArray[np.float32]
    offset: NDArray[np.float32]
    trust: NDArray[np.float32]

    def values(self, colors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the value of each color at its place, which may lie outside what was learned."""
        values: NDArray[np.float32] = (self.slope * colors).sum(axis=2) + self.offset
        return values


def regress(
    colors: NDArray[np.float32],
    values: NDArray[np.float32],
    radius: int,
    smoothness: float,
    weights: NDArray[np.float32] | None = None,
) -> LocalRegression:
    """Learn how values follow from colors in a square window around each place.

    Takes: `colors` (h, w, 3) and `values` (h, w), 0 to 1; `smoothness`, how much variance of color is taken for noise;
    `weights` (h, w), how far each value is to be believed.
    Method: the guided filter (He, Sun and Tang 2013) with weights. Where they are given, each place listens to the
    windows around it in proportion to the differences that they saw, so that an edge doesn't bleed as wide as its
    window.
    """
    means = _Moments(colors, values, np.ones_like(values) if weights is None else weights, radius)
    slope = _solved(means.color_covariance, means.common_covariance, smoothness)
    offset = means.value - (slope * means.color).sum(axis=2)
    explained = (slope * means.common_covariance).sum(axis=2)
    trust = np.clip(explained / (means.value_variance + 1e-4), 0, 1)
    say = means.weight * np.maximum(means.value_variance, _LEAST_SAY) if weights is not None else means.weight
    learned = np.concatenate((slope, offset[..., None], trust[..., None]), axis=2) * say[..., None]
    shared = box_mean(learned, radius) / box_mean(say, radius)[..., None]
    return LocalRegression(shared[..., :3], shared[..., 3], shared[..., 4])


class _Moments:
    """Weighted means, variances and covariances in the window around each place."""

    def __init__(
        self, colors: NDArray[np.float32], values: NDArray[np.float32], weights: NDArray[np.float32], radius: int
    ) -> None:
        first, second = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)
        value = values[..., None]
        terms = np.concatenate(
            (colors, value, colors * value, value * value, colors[..., first] * colors[..., second]), 2
        )
        self.weight = box_mean(weights, radius) + _LITTLE
        means = box_mean(terms * weights[..., None], radius) / self.weight[..., None]
        self.color, self.value = means[..., :3], means[..., 3]
        self.common_covariance = means[..., 4:7] - self.color * means[..., 3:4]
        self.value_variance = np.maximum(means[..., 7] - self.value * self.value, 0)
        self.color_covariance = means[..., 8:] - self.color[..., first] * self.color[..., second]


def _solved(matrix: NDArray[np.float32], right: NDArray[np.float32], ridge: float) -> NDArray[np.float32]:
    """Solve a symmetric 3×3 system at each place, its matrix given as its upper triangle by rows."""
    xx, xy, xz, yy, yz, zz = (matrix[..., index] for index in range(6))
    xx, yy, zz = xx + ridge, yy + ridge, zz + ridge
    minors = (yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy)
    determinant = xx * minors[0] + xy * minors[1] + xz * minors[2]
    rows = (
        minors,
        (minors[1], xx * zz - xz * xz, xz * xy - xx * yz),
        (minors[2], xz * xy - xx * yz, xx * yy - xy * xy),
    )
    solved = [sum(factor * right[..., index] for index, factor in enumerate(row)) for row in rows]
    solution: NDArray[np.float32] = np.stack(solved, axis=2) / np.maximum(determinant, ridge**3)[..., None]
    return solution
