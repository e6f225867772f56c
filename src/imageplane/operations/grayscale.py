from typing import Literal, Self

import pyvips

from imageplane.operation import Example, PixelOperation, Size, Tools
from imageplane.pixels.alpha import on_color


class Grayscale(PixelOperation):
    """Make the picture gray; alpha stays as it is.

    Method: relative luminance with the weights of Rec. 709, summed in linear light and encoded as sRGB again.
    """

    type: Literal["grayscale"] = "grayscale"

    examples = (Example("photo", {}), Example("alpha", {}, picture="alpha"))

    def scaled_by(self, shrink: float, size: Size) -> Self | None:
        return self

    def fused_with(self, following: PixelOperation) -> tuple[PixelOperation, ...] | None:
        return (self,) if isinstance(following, Grayscale) else None

    def apply(self, image: pyvips.Image, tools: Tools) -> pyvips.Image:
        return on_color(image, lambda colors: colors.colourspace("b-w").colourspace("srgb"))
