"""Boxes with labels on a picture, for people to look at."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pyvips
from numpy.typing import NDArray

from imageplane.pixels.color import RGB
from imageplane.pixels.crop import Window
from imageplane.pixels.geometry import Size, size_of

Canvas = NDArray[np.uint8]

_BLACK: Final = (0, 0, 0)
_WHITE: Final = (255, 255, 255)
_DARK: Final = (20, 20, 20)
# Above this luma black text reads better on a color than white does.
_BRIGHT: Final = 130
_DIMMED: Final = 0.55
_LEAST_TEXT_IN_PX: Final = 13
# One pixel of text or line for so many pixels of the long side.
_PER_TEXT: Final = 62
_PER_LINE: Final = 500
# On a picture that is lower than so many lines of text, labels would hide what they speak of.
_LEAST_LINES: Final = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """One box to draw, with what is to be read on it."""

    box: Window
    label: str
    color: RGB
    is_bold: bool = False


def dimmed_around(image: pyvips.Image, box: Window) -> pyvips.Image:
    """Darken everything but a box that lies on the picture."""
    place = box.left_in_px, box.top_in_px, box.width_in_px, box.height_in_px
    dark = (image * _DIMMED).cast("uchar").copy(interpretation=image.interpretation)
    return dark.insert(image.extract_area(*place), *place[:2])


def drawn(image: pyvips.Image, marks: Sequence[Mark]) -> pyvips.Image:
    """Draw boxes and their labels.

    Takes: 8-bit sRGB with 3 bands. Where this machine has no fonts, and on narrow strips, boxes have no labels; a
    label that finds no free place on the picture is left out.
    """
    long, short = max(size_of(image)), min(size_of(image))
    height_in_px = max(_LEAST_TEXT_IN_PX, round(long / _PER_TEXT))
    is_strip = short < _LEAST_LINES * height_in_px
    line = 1 if is_strip else max(2, round(long / _PER_LINE))
    canvas = np.array(image.numpy())
    for mark in marks:
        _outline(canvas, mark.box, mark.color, line * (2 if mark.is_bold else 1))
    if is_strip or not _has_fonts():
        return _image(canvas)
    free = _Room(size_of(image))
    # What is bold matters more, and gets the better places.
    for mark in sorted((mark for mark in marks if mark.label), key=lambda mark: not mark.is_bold):
        _write(canvas, mark, height_in_px, free)
    return _image(canvas)


def _image(canvas: Canvas) -> pyvips.Image:
    return pyvips.Image.new_from_array(canvas).copy(interpretation="srgb")


def _outline(canvas: Canvas, box: Window, color: RGB, line: int) -> None:
    """Draw a frame within the box, dark on both sides so that it shows on any picture."""
    rim = max(1, line // 3)
    _frame(canvas, box, _DARK, 0, line + 2 * rim)
    _frame(canvas, box, color, rim, line)


def _frame(canvas: Canvas, box: Window, color: RGB, inset: int, line: int) -> None:
    top, left = box.top_in_px + inset, box.left_in_px + inset
    bottom, right = box.top_in_px + box.height_in_px - inset, box.left_in_px + box.width_in_px - inset
    if bottom <= top or right <= left:
        return
    part = canvas[top:bottom, left:right]
    part[:line] = part[-line:] = part[:, :line] = part[:, -line:] = color


def _write(canvas: Canvas, mark: Mark, height_in_px: int, free: "_Room") -> None:
    letters = _letters(mark.label, height_in_px)
    rows, columns = letters.shape
    padding = max(3, height_in_px // 3)
    # The same height for all words, with and without parts below the line.
    plate = Size(columns + 2 * padding, height_in_px + 2 * padding)
    place = free.taken_by(plate, mark.box)
    if place is None:
        return
    left, top = place
    canvas[top : top + plate.height, left : left + plate.width] = mark.color
    ink = np.array(_BLACK if _luma(mark.color) > _BRIGHT else _WHITE)
    top += (plate.height - rows) // 2
    part = canvas[top : top + rows, left + padding : left + padding + columns]
    share = letters[..., None] / 255
    part[:] = np.rint(share * ink + (1 - share) * part)


def _luma(color: RGB) -> float:
    return 0.2126 * color[0] + 0.7152 * color[1] + 0.0722 * color[2]


def _letters(words: str, height_in_px: int) -> NDArray[np.uint8]:
    """Give how far words cover each place, (h, w), 0 to 255."""
    text = pyvips.Image.text(html.escape(words), font=f"sans bold {height_in_px}", dpi=72)
    letters: NDArray[np.uint8] = text.numpy()
    return letters.reshape(text.height, text.width)


@cache
def _has_fonts() -> bool:
    """Tell whether letters can be told apart: without fonts each one is the same empty box."""
    try:
        return bool(_letters("i", 20).shape[1] < _letters("W", 20).shape[1])
    except pyvips.Error:
        return False


class _Room:
    """The part of a picture that no label has taken yet."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._taken: list[Window] = []

    def taken_by(self, plate: Size, box: Window) -> tuple[int, int] | None:
        """Take a place for a label of this size at a box, and give its left and top; None when there is none."""
        for left, top in self._places(plate, box):
            place = Window(left, top, *plate)
            if self._is_on_picture(place) and not any(_meet(place, other) for other in self._taken):
                self._taken.append(place)
                return left, top
        return None

    def _places(self, plate: Size, box: Window) -> Iterator[tuple[int, int]]:
        right = box.left_in_px + box.width_in_px - plate.width
        bottom = box.top_in_px + box.height_in_px
        lefts = [min(max(0, left), self._size.width - plate.width) for left in (box.left_in_px, right)]
        above, below = box.top_in_px - plate.height, bottom - plate.height
        for top in (above, box.top_in_px, bottom, below):
            yield from ((left, top) for left in lefts)
        for top in range(box.top_in_px + plate.height, below, plate.height):
            yield from ((left, top) for left in lefts)

    def _is_on_picture(self, place: Window) -> bool:
        return (
            min(place.left_in_px, place.top_in_px) >= 0
            and place.left_in_px + place.width_in_px <= self._size.width
            and place.top_in_px + place.height_in_px <= self._size.height
        )


def _meet(one: Window, other: Window) -> bool:
    return (
        one.left_in_px < other.left_in_px + other.width_in_px
        and other.left_in_px < one.left_in_px + one.width_in_px
        and one.top_in_px < other.top_in_px + other.height_in_px
        and other.top_in_px < one.top_in_px + one.height_in_px
    )
