"""Where a window should lie around what it shows."""

from typing import Final

import numpy as np

from imageplane.pixels.figures import Figure
from imageplane.pixels.sighting import Box
from imageplane.pixels.windows import Values, spread

# A subject stands no nearer to an edge than this share of the room that is left.
_THIRD: Final = 1 / 3
# Between eyes and mouth.
_MID_FACE: Final = 0.55
# How much of a body may be its head, and how far to trust the photographer's aim rather than one's own eye.
_HEAD: Final = 1 / 3
_AIM: Final = 0.65


def placed(start: float, extent: float, length: float, heart: float) -> float:
    """Give where a window of this length starts that shows a subject best; all as ratios of one side of the picture.

    Method: a subject stands as far along in the window as it does in the picture, but leaves a third of the room at
    either side; one that is longer than the window is shown around its heart.
    """
    room = length - extent
    if room < 0:
        return min(max(heart - length / 2, start), start - room)
    return start - room * min(max(start + extent / 2, _THIRD), 1 - _THIRD)


def heart_of(figure: Figure, box: Box, drawn: Values | None) -> tuple[float, float]:
    """Give the point, across and down, around which to show what of a figure is too large for a window.

    Takes: `box`, the part of the figure that is to be shown; `drawn`, what draws the eye.
    Method: of a face a little below its middle. Of a body the top, where its head is likeliest; across, where the
    photographer aimed, which is near the middle of the picture, weighed with where its upper part draws the eye most.
    Of a thing the same, in both directions.
    """
    if figure.face:
        return box.left + box.width / 2, box.top + _MID_FACE * box.height
    aimed = _nearest_middle(box.left, box.width), _nearest_middle(box.top, box.height)
    upper = Box(box.left, box.top, box.width, _HEAD * figure.whole.height) if figure.lives else box
    seen = aimed if drawn is None else (_centroid(drawn, upper) or aimed)
    across, down = (_AIM * aim + (1 - _AIM) * eye for aim, eye in zip(aimed, seen, strict=True))
    return across, (box.top if figure.lives else down)


def _nearest_middle(start: float, extent: float) -> float:
    """Give the point between the quarters of a stretch that is nearest to the middle of the picture."""
    return min(max(0.5, start + extent / 4), start + 3 * extent / 4)


def _centroid(drawn: Values, box: Box) -> tuple[float, float] | None:
    rows, columns = drawn.shape
    down = spread(np.array([box.top]), box.height, rows)[0]
    across = spread(np.array([box.left]), box.width, columns)[0]
    by_column, by_row = (down @ drawn) * across, (drawn @ across) * down
    total = float(by_column.sum())
    if total <= 0:
        return None
    return (
        float(by_column @ ((np.arange(columns) + 0.5) / columns)) / total,
        float(by_row @ ((np.arange(rows) + 0.5) / rows)) / total,
    )
