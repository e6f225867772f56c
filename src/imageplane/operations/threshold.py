from typing import Literal

import pyvips
from pydantic import Field

from imageplane.operation import Example, PixelOperation, Tools
from imageplane.pixels.alpha import on_color


class Threshold(PixelOperation):
    """Turn every pixel white or black.

    What is at least the value becomes white, the rest black. Transparency stays as it is.

    Method: the gray level is the luminance of sRGB, encoded back to sRGB (libvips `colourspace`).
    """

    type: Literal["threshold"] = "threshold"
    value: float = Field(ge=0, le=255, description="The lowest level that becomes white.")
    is_grayscale: bool = Field(
        default=True, description="Whether the gray level decides; otherwise red, green and blue each for themselves."
    )

    examples = (
        Example("gray", {"value": 131}),
        Example("bands", {"value": 113, "is_grayscale": False}),
        Example("alpha", {"value": 97, "is_grayscale": True}, picture="alpha"),
    )

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return on_color(image, self._black_and_white)

    def _black_and_white(self, colors: pyvips.Image) -> pyvips.Image:
        if not self.is_grayscale:
            return colors >= self.value
        white = colors.colourspace("b-w") >= self.value
        return white.bandjoin([white, white]).copy(interpretation="srgb")
