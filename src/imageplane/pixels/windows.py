"""All windows of one size that a picture has, and those of them that grant one wish after another."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imageplane.pixels.sighting import Box

Values = NDArray[np.float64]

# Below these a share is nothing or all: coordinates are sums and differences of ratios.
_NOTHING: Final = 1e-6
_ALL: Final = 1 - _NOTHING
# Between the windows that no mark asks for: when they slide in one direction, and in two.
_STEPS: Final = 128
_STEPS_EACH: Final = 40


class Windows:
    """The windows of one size on a picture, of which every wish leaves some.

    Takes: `width` and `height`, ratios of the picture; `marks`, the boxes that wishes will be about. Windows lie at
    `lefts` and `tops`: at even steps, and wherever an edge of a mark meets an edge of the window, so that what fits is
    found exactly. `left` says for (top, left) whether a window is left.
    """

    def __init__(self, width: float, height: float, marks: Iterable[Box]) -> None:
        self.width, self.height = width, height
        marks = tuple(marks)
        steps = _STEPS if max(width, height) > _ALL else _STEPS_EACH
        self.lefts = _offsets(width, steps, [(box.left, box.right) for box in marks])
        self.tops = _offsets(height, steps, [(box.top, box.bottom) for box in marks])
        self.are_left = np.ones((len(self.tops), len(self.lefts)), np.bool_)

    def shares(self, box: Box) -> Values:
        """Give which share of a box each window shows."""
        down = _covered(box.top, box.height, self.tops, self.height)
        return np.outer(down, _covered(box.left, box.width, self.lefts, self.width))

    def keep(self, box: Box, least: float = 1.0) -> bool:
        """Leave the windows that show a box, or at least this share of it; tell whether there are any."""
        fine = self.are_left & (self.shares(box) >= min(least, _ALL))
        if not fine.any():
            return False
        self.are_left = fine
        return True

    def can_part(self, box: Box, other: Box) -> bool:
        """Tell whether some window that is left shows a box whole and does not cut the other."""
        shares = self.shares(other)
        is_uncut = (shares <= _NOTHING) | (shares >= _ALL)
        return bool((self.are_left & is_uncut & (self.shares(box) >= _ALL)).any())

    def favor(self, boxes: Iterable[Box], slack: float) -> None:
        """Leave the windows that show most of the box they show least of: what can't be whole is cut evenly."""
        shares = [np.minimum(self.shares(box), _ALL) for box in boxes]
        if shares:
            self._leave_best(np.minimum.reduce(shares), slack)

    def spare(self, boxes: Iterable[tuple[Box, float]]) -> None:
        """Leave the windows whose edges cut through least; each box comes with its weight."""
        costs = np.zeros(self.are_left.shape)
        for box, weight in boxes:
            shares = self.shares(box)
            costs += weight * ((shares > _NOTHING) & (shares < _ALL))
        self._leave_best(-costs, _NOTHING)

    def totals(self, values: NDArray[np.floating]) -> Values:
        """Give the sum of a map over the picture within each window."""
        rows, columns = values.shape
        down = spread(self.tops, self.height, rows)
        return np.asarray(down @ values @ spread(self.lefts, self.width, columns).T, np.float64)

    def best(self, values: Values) -> Box:
        """Give the window that is left with the highest value."""
        top, left = np.unravel_index(np.argmax(np.where(self.are_left, values, -np.inf)), values.shape)
        return Box(float(self.lefts[left]), float(self.tops[top]), self.width, self.height)

    def _leave_best(self, values: Values, slack: float) -> None:
        self.are_left &= values >= values[self.are_left].max() - slack


def spread(starts: Values, length: float, count: int) -> Values:
    """Give how much of each of `count` equal cells of 0 to 1 the stretches of this length cover."""
    edges = np.arange(count + 1) / count
    ends = starts[:, None] + length
    covered = np.minimum(edges[1:], ends) - np.maximum(edges[:-1], starts[:, None])
    return np.asarray(np.clip(covered, 0, None) * count, np.float64)


def _offsets(length: float, steps: int, stretches: list[tuple[float, float]]) -> Values:
    travel = 1 - length
    if travel <= _NOTHING:
        return np.zeros(1)
    meetings = [offset for start, end in stretches for offset in (start, end - length)]
    return np.unique(np.concatenate((np.linspace(0, travel, steps + 1), np.clip(meetings, 0, travel))))


def _covered(start: float, extent: float, starts: Values, length: float) -> Values:
    shown = np.minimum(start + extent, starts + length) - np.maximum(start, starts)
    # What has no extent is shown where the window reaches.
    return np.clip(shown / extent, 0, 1) if extent > 0 else np.asarray(shown >= 0, np.float64)
