from typing import Literal, Self

import numpy as np
import pyvips
from pydantic import Field

from imageplane.operation import Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import has_alpha


class Opacity(PixelOperation):
    """Make the picture more transparent; what is transparent already stays so.

    Formats without transparency show the result on white.

    Method: alpha times the percentage, rounded; colors stay as they are.
    """

    type: Literal["opacity"] = "opacity"
    opacity_in_percent: float = Field(ge=0, le=100, description="0 is invisible, 100 changes nothing.")

    examples = (
        Example("photo", {"opacity_in_percent": 61}),
        Example("alpha", {"opacity_in_percent": 37.3}, picture="alpha"),
    )

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        if not isinstance(following, Opacity):
            return None
        percent = self.opacity_in_percent * following.opacity_in_percent / 100
        return (following.model_copy(update={"opacity_in_percent": percent}),)

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        if self.opacity_in_percent == 100:
            return image
        values = np.arange(256)
        scaled = np.floor(values * (self.opacity_in_percent / 100) + 0.5)
        if not has_alpha(image):
            return image.bandjoin(scaled[255]).copy(interpretation="srgb")
        table = np.stack([values, values, values, scaled], axis=-1).astype(np.uint8)
        return image.maplut(pyvips.Image.new_from_array(table[None]))
