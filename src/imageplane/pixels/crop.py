"""Choosing the window of an exact size that a picture is cut to."""

import pyvips

from imageplane.pixels.geometry import Size


def center_crop(frames: list[pyvips.Image], size: Size) -> list[pyvips.Image]:
    """Cut the middle out; odd remainders leave the extra pixel at the right and the bottom."""
    return [
        frame.extract_area((frame.width - size.width) // 2, (frame.height - size.height) // 2, *size)
        for frame in frames
    ]


def attention_crop(frames: list[pyvips.Image], size: Size) -> list[pyvips.Image]:
    """Cut out the window that draws the eye, the same one from every frame.

    Takes: frames of one size that is at least `size` on both sides.
    Method: libvips `smartcrop` with its attention strategy (skin, saturation and edges), asked of the first frame.
    """
    held = [frame.copy_memory() for frame in frames]
    window = held[0].smartcrop(*size, interesting="attention")
    return [frame.extract_area(-window.xoffset, -window.yoffset, *size) for frame in held]
