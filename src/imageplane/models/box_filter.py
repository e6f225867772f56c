"""Means over square neighborhoods, at a cost that does not depend on their size."""

import numpy as np
from numpy.typing import NDArray


def box_mean(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Give the mean around each place of an (H, W) or (H, W, C) array; beyond the edge its last values go on.

    Method: differences of running sums, first down and then across.
    """
    for axis in (0, 1):
        values = _mean_along(values, radius, axis)
    return values


def _mean_along(values: NDArray[np.float32], radius: int, axis: int) -> NDArray[np.float32]:
    around = [(0, 0)] * values.ndim
    around[axis] = (radius + 1, radius)
    sums = np.cumsum(np.pad(values, around, mode="edge"), axis=axis, dtype=np.float64)
    length, count = values.shape[axis], 2 * radius + 1
    ahead = [slice(None)] * values.ndim
    behind = list(ahead)
    ahead[axis], behind[axis] = slice(count, count + length), slice(0, length)
    return ((sums[tuple(ahead)] - sums[tuple(behind)]) / count).astype(np.float32)
