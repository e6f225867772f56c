"""Of many boxes around the same thing, the best one."""

import numpy as np
from numpy.typing import NDArray


def strongest(corners: NDArray[np.float32], scores: NDArray[np.float32], most_overlap: float) -> list[int]:
    """Give which boxes are left when each one that covers a better one too much is dropped; the best first.

    Takes: `corners` (N, 4) as left, top, right, bottom; `scores` (N,); `most_overlap`, intersection over union.
    Method: greedy non-maximum suppression.
    """
    areas = np.prod(np.maximum(corners[:, 2:] - corners[:, :2], 0), axis=1)
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(waiting):
        best, rest = waiting[0], waiting[1:]
        kept.append(int(best))
        sides = np.minimum(corners[best, 2:], corners[rest, 2:]) - np.maximum(corners[best, :2], corners[rest, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        waiting = rest[shared <= most_overlap * (areas[best] + areas[rest] - shared)]
    return kept
