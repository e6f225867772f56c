"""Choosing the window of an exact size that a picture is cut to."""

from dataclasses import dataclass
from typing import NamedTuple

import pyvips

from imageplane.pixels.geometry import Size


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture, in its pixels."""

    left_in_px: int
    top_in_px: int
    width_in_px: int
    height_in_px: int

    @classmethod
    def on(cls, full: Size, scaled: Size, left: int, top: int, size: Size) -> "Window":
        """Give the window on the full picture of one that was chosen on a scaled copy of it."""
        across, down = full.width / scaled.width, full.height / scaled.height
        left, right = round(left * across), round((left + size.width) * across)
        top, bottom = round(top * down), round((top + size.height) * down)
        return cls(left, top, max(1, right - left), max(1, bottom - top))


class Cut(NamedTuple):
    """Frames that were cut to one window, and where it lay on them."""

    frames: list[pyvips.Image]
    left: int
    top: int


def center_crop(frames: list[pyvips.Image], size: Size) -> list[pyvips.Image]:
    """Cut the middle out; odd remainders leave the extra pixel at the right and the bottom."""
    return [
        frame.extract_area((frame.width - size.width) // 2, (frame.height - size.height) // 2, *size)
        for frame in frames
    ]


def attention_crop(frames: list[pyvips.Image], size: Size) -> Cut:
    """Cut out the window that draws the eye, the same one from every frame.

    Takes: frames of one size that is at least `size` on both sides.
    Method: libvips `smartcrop` with its attention strategy (skin, saturation and edges), asked of the first frame.
    """
    held = [frame.copy_memory() for frame in frames]
    window = held[0].smartcrop(*size, interesting="attention")
    left, top = -window.xoffset, -window.yoffset
    return Cut([frame.extract_area(left, top, *size) for frame in held], left, top)
