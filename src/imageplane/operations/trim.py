from typing import Literal

import numpy as np
import pyvips
from pydantic import Field

from imageplane.operation import Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import has_alpha


class Trim(PixelOperation):
    """Cut away borders that have the color of the top left pixel.

    Transparent borders are cut as well, whatever color hides in them. A picture that is all border stays whole. In an
    animation the border is what stays border in every frame.

    Method: the smallest rectangle that holds every pixel of which a band differs from the top left pixel by more than
    the threshold; with alpha, all bands are compared, premultiplied.
    """

    type: Literal["trim"] = "trim"
    threshold: float = Field(
        ge=0, le=255, description="How far, of 255, a band of a border pixel may lie from the top left pixel."
    )

    examples = (
        Example("bordered", {"threshold": 7}, picture="bordered"),
        Example("alpha", {"threshold": 43.5}, picture="alpha"),
    )

    def size_after(self, size: Size) -> Size | None:
        return None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return self.apply_to_frames([image], tools)[0]

    def apply_to_frames(self, frames: list[pyvips.Image], tools: Tools) -> list[pyvips.Image]:
        held = [frame.copy_memory() for frame in frames]
        shown = [frame.premultiply() if has_alpha(frame) else frame for frame in held]
        border = shown[0].getpoint(0, 0)
        content = [_used_lines(image, border, self.threshold) for image in shown]
        columns, rows = (np.unique(np.concatenate(lines)) for lines in zip(*content, strict=True))
        if columns.size == 0:
            return held
        left, top = int(columns[0]), int(rows[0])
        box = (left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
        return [frame.extract_area(*box) for frame in held]


def _used_lines(image: pyvips.Image, border: list[float], threshold: float) -> tuple[np.ndarray, np.ndarray]:
    above, below = ([value + step for value in border] for step in (threshold, -threshold))
    columns, rows = ((image > above) | (image < below)).bandor().project()
    return np.flatnonzero(columns.numpy()), np.flatnonzero(rows.numpy())
